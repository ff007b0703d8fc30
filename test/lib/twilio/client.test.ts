import type { RequestListener } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { TollbreakerError } from "../../../lib/errors.ts";
import { type TwilioClientOptions, twilioClient } from "../../../lib/twilio/client.ts";
import { describeFailure } from "../../../lib/twilio/failures.ts";
import { type Listening, serve } from "../../cli/command-line.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";

const accountSid = `AC${"1".repeat(32)}`;
const Thing = z.object({ name: z.string() });
const request = { path: "/2010-04-01/Things.json?Page=0", answer: Thing, timeoutMs: 2_000 };

const open: (Listening | FaultProxy)[] = [];
afterEach(async () => {
  for (const server of open.splice(0).reverse()) await server.close();
});

/** A server that answers as `listener` does, what it received, and a client of it. */
async function serverOf(listener: RequestListener, authToken: TwilioClientOptions["authToken"] = async () => "secret") {
  const server = await serve(listener);
  const proxy = await startFaultProxy(server.url);
  open.push(server, proxy);
  return { proxy, client: twilioClient({ accountSid, authToken, apiUrl: proxy.url }) };
}
const answering =
  (status: number, body: string): RequestListener =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(body);
const thing = answering(200, '{"name":"a","new":1}');

async function failureFrom(asked: Promise<unknown>) {
  const answer = await asked;
  expect(answer).toMatchObject({ kind: "failed" });
  return answer;
}

test("a GET below `api`, with Basic credentials, asking for JSON", async () => {
  const { client, proxy } = await serverOf(thing);
  expect(await client.send(request)).toEqual({ kind: "ok", body: { name: "a" } });
  expect(proxy.requests()).toMatchObject([
    {
      method: "GET",
      path: "/api/2010-04-01/Things.json?Page=0",
      body: "",
      headers: { authorization: `Basic ${btoa(`${accountSid}:secret`)}`, accept: "application/json" },
    },
  ]);
});

test("a form is posted, encoded", async () => {
  const { client, proxy } = await serverOf(thing);
  await client.send({ ...request, form: { Status: "suspended", Value: "+30 & ñ" } });
  expect(proxy.requests()).toMatchObject([
    {
      method: "POST",
      body: "Status=suspended&Value=%2B30+%26+%C3%B1",
      headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" },
    },
  ]);
});

test.each(["accounts", "voice"] as const)("another product than `api`: %s", async (product) => {
  const { client, proxy } = await serverOf(thing);
  await client.send({ ...request, product, path: "/v1/Things" });
  expect(proxy.requests()).toMatchObject([{ method: "GET", path: `/${product}/v1/Things` }]);
});

test("a POST without a form has no body", async () => {
  const { client, proxy } = await serverOf(thing);
  expect(await client.send({ ...request, method: "POST" })).toMatchObject({ kind: "ok" });
  expect(proxy.requests()).toMatchObject([{ method: "POST", body: "" }]);
});

test("a DELETE is answered with nothing, where nothing is expected", async () => {
  const { client, proxy } = await serverOf(answering(204, ""));
  const asked = { ...request, method: "DELETE", answer: z.unknown() } as const;
  expect(await client.send(asked)).toEqual({ kind: "ok", body: undefined });
  proxy.fail({ do: "answer", status: 404, body: '{"code":20404,"message":"no","status":404}' });
  expect(await client.send(asked)).toMatchObject({ failure: { kind: "not-found" } });
  expect(proxy.requests()).toMatchObject([{ method: "DELETE" }, { method: "DELETE" }]);
});

test("the token is read for each request, so that a rotated one is used", async () => {
  const tokens = ["old", "new"];
  const { client, proxy } = await serverOf(thing, async () => tokens.shift());
  await client.send(request);
  await client.send(request);
  const sent = proxy.requests().map(({ headers }) => atob(String(headers.authorization).slice(6)));
  expect(sent).toEqual([`${accountSid}:old`, `${accountSid}:new`]);
});

describe("a token that Twilio refuses", () => {
  const AUTHENTICATE = '{"code":20003,"message":"Authenticate","status":401}';
  /** Takes the new token only. */
  const rotated =
    (status: number, body: string): RequestListener =>
    (request, response) =>
      request.headers.authorization === `Basic ${btoa(`${accountSid}:new`)}`
        ? thing(request, response)
        : answering(status, body)(request, response);
  const tokens = (known: string, newest: string | undefined) => {
    const asked: ({ not: string } | undefined)[] = [];
    const read = async (wanted?: { not: string }) => {
      asked.push(wanted);
      return wanted === undefined ? known : newest;
    };
    return { asked, read };
  };

  test.each([
    ["401, and why", 401, AUTHENTICATE],
    ["401 of a gateway", 401, ""],
    ["403, and why", 403, '{"code":20003,"message":"Permission Denied","status":403}'],
  ])("%s: it is read again, and the new one is tried at once", async (_, status, body) => {
    const { asked, read } = tokens("old", "new");
    const { client, proxy } = await serverOf(rotated(status, body), read);
    expect(await client.send({ ...request, form: { Status: "suspended" } })).toMatchObject({ kind: "ok" });
    expect(asked).toEqual([undefined, { not: "old" }]);
    expect(proxy.requests().map((sent) => sent.body)).toEqual(["Status=suspended", "Status=suspended"]);
  });

  test.each([
    ["there is no other one", "old"],
    ["it is gone", undefined],
    ["it is empty", ""],
  ])("where %s, Twilio's answer stands, and nothing is asked twice", async (_, newest) => {
    const { client, proxy } = await serverOf(answering(401, AUTHENTICATE), tokens("old", newest).read);
    expect(await client.send(request)).toMatchObject({ failure: { kind: "retryable", code: 20003, status: 401 } });
    expect(proxy.requests()).toHaveLength(1);
  });

  test("the other one is refused, too: once more, and no further", async () => {
    const { client, proxy } = await serverOf(answering(401, AUTHENTICATE), tokens("old", "other").read);
    expect(await client.send(request)).toMatchObject({ failure: { code: 20003 } });
    expect(proxy.requests()).toHaveLength(2);
  });

  test("it can't be read again: Twilio's answer stands", async () => {
    const read = async (wanted?: { not: string }) => {
      if (wanted === undefined) return "old";
      throw new Error("out");
    };
    const { client } = await serverOf(answering(401, AUTHENTICATE), read);
    expect(await client.send(request)).toMatchObject({ failure: { code: 20003, status: 401 } });
  });

  test("another refusal is none of the token's", async () => {
    const { asked, read } = tokens("old", "new");
    const { client } = await serverOf(answering(403, '{"code":70051,"message":"no","status":403}'), read);
    expect(await client.send(request)).toMatchObject({ failure: { code: 70051 } });
    expect(asked).toEqual([undefined]);
  });
});

test("a token that can't be read may be there in a moment", async () => {
  const unreadable = new TollbreakerError("secret-unreadable", "The token cannot be read.", {
    cause: new Error("SSM"),
  });
  const { client } = await serverOf(thing, async () => {
    throw unreadable;
  });
  expect(await client.send(request)).toMatchObject({
    failure: { kind: "retryable", code: null, status: null, message: "The token cannot be read." },
  });
});

describe("an answer that is a failure", () => {
  test.each([
    [
      "Twilio's error",
      400,
      '{"code":21477,"message":"no","status":400}',
      { kind: "terminal", code: 21477, status: 400 },
    ],
    ["a page of a proxy", 502, "<html>", { kind: "retryable", code: null, status: 502 }],
    ["nothing", 503, "", { kind: "retryable", code: null, status: 503 }],
    [
      "200 with half a body",
      200,
      '{"name":"a',
      { kind: "retryable", status: null, message: expect.stringContaining("the body") },
    ],
    [
      "200 with something else",
      200,
      '{"name":5}',
      { kind: "retryable", status: null, message: expect.stringContaining("name") },
    ],
    ["204 without a body", 204, "", { kind: "retryable", status: null }],
  ])("%s", async (_, status, body, failure) => {
    const { client } = await serverOf(answering(status, body));
    expect(await client.send(request)).toMatchObject({ kind: "failed", failure });
  });

  test("a redirect is not followed: it would carry the credentials elsewhere", async () => {
    const { client, proxy } = await serverOf((_, response) =>
      response.writeHead(302, { location: "/elsewhere" }).end(),
    );
    expect(await client.send(request)).toMatchObject({ kind: "failed", failure: { status: null } });
    expect(proxy.requests()).toHaveLength(1);
  });
});

describe("no answer is retryable, and says why", () => {
  test("out of time", async () => {
    const { client, proxy } = await serverOf(thing);
    proxy.fail({ do: "hang" });
    expect(await client.send({ ...request, timeoutMs: 100 })).toMatchObject({
      kind: "failed",
      failure: { kind: "retryable", code: null, status: null, message: "no answer in time" },
    });
  });

  test("out of time in the middle of a body", async () => {
    const { client } = await serverOf((_, response) => void response.writeHead(200).write('{"name":'));
    // The proxy passes on whole answers only: this server is asked directly.
    const direct = twilioClient({ accountSid, authToken: async () => "secret", apiUrl: open[0]?.url });
    expect(client.accountSid).toBe(accountSid);
    expect(await direct.send({ ...request, timeoutMs: 100 })).toMatchObject({
      failure: { message: "no answer in time" },
    });
  });

  test("a cut connection", async () => {
    const { client, proxy } = await serverOf(thing);
    proxy.fail({ do: "cut", when: "after" });
    const answer = await failureFrom(client.send(request));
    expect(answer).toMatchObject({
      failure: { kind: "retryable", message: expect.not.stringContaining("fetch failed") },
    });
  });

  test("nobody there", async () => {
    const { client, proxy } = await serverOf(thing);
    await proxy.down();
    expect(await client.send(request)).toMatchObject({
      failure: { kind: "retryable", message: expect.stringContaining("ECONNREFUSED") },
    });
  });
});

test("a token that is slow to come does not cost Twilio its time", async () => {
  const slowToken = () => new Promise<string>((resolve) => setTimeout(resolve, 300, "secret"));
  const { client } = await serverOf(thing, slowToken);
  expect(await client.send({ ...request, timeoutMs: 250 })).toMatchObject({ kind: "ok" });
});

test.each([undefined, ""])("with the token %j nothing is asked, and it says what to configure", async (token) => {
  const { client, proxy } = await serverOf(thing, async () => token);
  const answer = await client.send(request);
  expect(answer).toMatchObject({ kind: "failed", failure: { kind: "retryable", code: null } });
  expect(answer.kind === "failed" && describeFailure(answer.failure)).toContain("TWILIO_AUTH_TOKEN_PARAMETER");
  expect(proxy.requests()).toEqual([]);
});

test("whole URLs: taken on the same host, refused elsewhere, where they would carry the credentials", async () => {
  const { client, proxy } = await serverOf(thing);
  expect(await client.send({ ...request, path: `${proxy.url}/api/2010-04-01/Next.json` })).toMatchObject({
    kind: "ok",
  });
  const elsewhere = await client.send({ ...request, path: "https://evil.example.com/2010-04-01/Next.json" });
  expect(elsewhere).toMatchObject({
    failure: { kind: "retryable", message: expect.stringMatching(/another host.*evil\.example\.com.*TWILIO_API_URL/) },
  });
  await client.send({ ...request, path: "//evil.example.com/x.json" });
  expect(proxy.requests().map(({ path }) => path)).toEqual([
    "/api/2010-04-01/Next.json",
    "/api//evil.example.com/x.json",
  ]);
});
