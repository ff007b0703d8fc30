import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimulatorOptions, TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { isTextSignedWith } from "../../support/signatures.ts";
import { apiOf, type Credentials, quietSimulator, send, subaccount } from "./api.ts";
import { clockAt, webhook } from "./webhook.ts";

const ERROR_LOGGED = { type: "com.twilio.error-logs.error.logged", schema_version: 2 };

let simulator: TwilioSimulator;
let hook: Awaited<ReturnType<typeof webhook>>;
let sub: Credentials;

async function start(options: SimulatorOptions = {}, answer?: (nth: number) => number | "never") {
  hook = await webhook(answer);
  simulator = await quietSimulator({ clock: clockAt("2026-10-04T12:00:00.123Z"), ...options });
  sub = subaccount(simulator);
}
const stop = () => Promise.all([simulator.close(), hook.close()]);
const restart = async (...options: Parameters<typeof start>) => {
  await stop();
  await start(...options);
};
beforeEach(() => start());
afterEach(stop);

const newSink = async (credentials = sub, configuration: object = {}) => {
  const SinkConfiguration = JSON.stringify({ destination: hook.url, method: "POST", ...configuration });
  const form = { Description: "errors", SinkType: "webhook", SinkConfiguration };
  return (await apiOf(simulator, credentials).post("/v1/Sinks", form)).body;
};
const subscribe = async (credentials = sub, configuration: object = {}, form: Record<string, string> = {}) => {
  const { sid } = await newSink(credentials, configuration);
  const asked = { Description: "errors", SinkSid: sid, Types: JSON.stringify([ERROR_LOGGED]), ...form };
  return (await send(simulator, credentials, "POST", "/v1/Subscriptions", asked)).body;
};
const raise = async (code: number, accountSid = sub.accountSid) => {
  const [sid] = simulator.raiseErrors(accountSid, { code });
  await simulator.errorsSettled();
  return sid;
};

describe("the Events API", () => {
  it("makes, lists, renames and removes sinks and subscriptions as documented", async () => {
    const api = apiOf(simulator, sub);
    const sink = await newSink();
    expect(sink).toMatchObject({ status: "active", date_created: "2026-10-04T12:00:00Z" });
    expect(sink.sink_configuration).toEqual({ destination: hook.url, method: "POST", batch_events: false });
    const form = { Description: "errors", SinkSid: sink.sid, Types: JSON.stringify(ERROR_LOGGED) };
    const { status, body } = await api.post("/v1/Subscriptions", form);
    expect({ status, body }).toMatchObject({ status: 201, body: { account_sid: sub.accountSid, sink_sid: sink.sid } });
    expect((await api.get(`/v1/Subscriptions?SinkSid=${sink.sid}`)).body.subscriptions).toEqual([body]);
    expect((await api.get(`/v1/Subscriptions/${body.sid}/SubscribedEvents`)).body.types).toMatchObject([ERROR_LOGGED]);
    expect((await api.post(`/v1/Sinks/${sink.sid}`, { Description: "new" })).body.description).toBe("new");
    expect((await api.post(`/v1/Subscriptions/${body.sid}`, { Description: "n" })).body.description).toBe("n");
    expect((await api.delete(`/v1/Sinks/${sink.sid}`)).body).toMatchObject({ code: 20001 });
    expect((await api.delete(`/v1/Subscriptions/${body.sid}`)).status).toBe(204);
    expect((await api.delete(`/v1/Sinks/${sink.sid}`)).status).toBe(204);
    expect((await api.get(`/v1/Sinks/${sink.sid}`)).status).toBe(404);
    expect((await api.get("/v1/Subscriptions")).body.subscriptions).toEqual([]);
  });

  it("pages by whole addresses that lead back to the simulator", async () => {
    for (let nth = 0; nth < 3; nth += 1) await newSink();
    const first = (await apiOf(simulator, sub).get("/v1/Sinks?PageSize=2&InUse=false")).body;
    expect(first.sinks).toHaveLength(2);
    const next = new URL(first.meta.next_page_url);
    expect(next.href).toMatch(`${simulator.url}/events/v1/Sinks?`);
    const second = await apiOf(simulator, sub).get(`${next.pathname.replace("/events", "")}${next.search}`);
    expect(second.body.sinks).toHaveLength(1);
    expect(second.body.meta.next_page_url).toBeNull();
  });

  it("belongs to the account whose credentials come, not even to its parent", async () => {
    const { sid } = await newSink();
    expect((await apiOf(simulator).get(`/v1/Sinks/${sid}`)).status).toBe(404);
    simulator.setStatus(sub.accountSid, "suspended");
    expect((await apiOf(simulator, sub).get("/v1/Sinks")).status).toBe(401);
  });

  const refused = [
    ["another type", { SinkType: "kinesis" }],
    ["no description", { Description: "" }],
    ["no JSON", { SinkConfiguration: "{" }],
    ["no address", { SinkConfiguration: '{"destination":"ftp://example.com"}' }],
    ["a method that the simulator has not", { SinkConfiguration: '{"destination":"http://a.example","method":"GET"}' }],
  ] as const;
  for (const [what, form] of refused) {
    it(`refuses a sink with ${what}`, async () => {
      const valid = {
        Description: "d",
        SinkType: "webhook",
        SinkConfiguration: '{"destination":"http://a.example/","method":"POST"}',
      };
      const { status, body } = await send(simulator, sub, "POST", "/v1/Sinks", { ...valid, ...form });
      expect([status, body.code]).toEqual([400, 20001]);
    });
  }

  it("refuses a subscription to nothing, and one of another account's sink", async () => {
    const SinkSid = (await newSink()).sid;
    for (const Types of ["[]", "x", '{"schema_version":1}']) {
      const form = { Description: "d", SinkSid, Types };
      expect((await send(simulator, sub, "POST", "/v1/Subscriptions", form)).status).toBe(400);
    }
    const foreign = { Description: "d", SinkSid, Types: JSON.stringify(ERROR_LOGGED) };
    expect((await send(simulator, simulator.parent(), "POST", "/v1/Subscriptions", foreign)).status).toBe(400);
  });

  it("a lie of the API leaves no sink behind", async () => {
    simulator.addFault({ effect: { kind: "lie" }, path: "/Sinks", times: 1 });
    const { sid } = await newSink();
    expect((await apiOf(simulator, sub).get(`/v1/Sinks/${sid}`)).status).toBe(404);
  });

  it("sends a test event, and finds every sink valid", async () => {
    const { sid } = await newSink();
    expect((await apiOf(simulator, sub).post(`/v1/Sinks/${sid}/Test`)).body).toEqual({ result: "submitted" });
    await simulator.errorsSettled();
    const [event] = JSON.parse(hook.received[0]?.body ?? "");
    expect(event.type).toBe("com.twilio.eventstreams.test-event");
    const validated = await apiOf(simulator, sub).post(`/v1/Sinks/${sid}/Validate`, { TestId: event.data.test_id });
    expect(validated.body).toEqual({ result: "valid" });
  });
});

describe("an error", () => {
  it("reaches the sink as a signed array of one CloudEvent, with the hash of the body in the address", async () => {
    await subscribe();
    const sid = await raise(30450);
    const [call] = hook.received;
    expect(hook.received).toHaveLength(1);
    expect(call?.headers["content-type"]).toBe("application/json");
    const url = new URL(call?.url ?? "", hook.url);
    expect(url.searchParams.get("bodySHA256")).toBe(
      createHash("sha256")
        .update(call?.body ?? "")
        .digest("hex"),
    );
    const signed = { url: url.href, text: call?.body ?? "" };
    const signature = String(call?.headers["x-twilio-signature"]);
    expect(isTextSignedWith(sub.authToken, signature, signed)).toBe(true);
    expect(isTextSignedWith(simulator.parent().authToken, signature, signed)).toBe(false);
    const [event, ...more] = JSON.parse(signed.text);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      specversion: "1.0",
      type: ERROR_LOGGED.type,
      id: sid,
      data: {
        sid,
        account_sid: sub.accountSid,
        master_account_sid: simulator.parent().accountSid,
        date_created: "2026-10-04T12:00:00.123Z",
        level: "ERROR",
        error_code: "30450",
        product_name: "Programmable Messaging",
      },
    });
    expect(JSON.parse(event.data.payload)).toMatchObject({ error_code: 30450, message: "Message delivery blocked" });
  });

  it("keeps the query of the sink's address", async () => {
    await subscribe(sub, { destination: `${hook.url}?from=twilio` });
    await raise(30450);
    expect(hook.received[0]?.url).toMatch(/\?from=twilio&bodySHA256=[0-9a-f]{64}$/);
  });

  it("comes as the event itself where it is asked for so, but not in a batch", async () => {
    await restart({ unbatchedEvents: "object" });
    await subscribe(sub, { batch_events: false });
    await raise(30450);
    expect(JSON.parse(hook.received[0]?.body ?? "").data.error_code).toBe("30450");
    await restart({ unbatchedEvents: "object" });
    await subscribe(sub, { batch_events: true });
    await raise(30450);
    expect(JSON.parse(hook.received[0]?.body ?? "")).toHaveLength(1);
  });

  it("does not reach other accounts' sinks, sinks without a subscription, or subscriptions to other things", async () => {
    await newSink();
    const types = JSON.stringify({ type: "com.twilio.messaging.message.sent", schema_version: 1 });
    await subscribe(sub, {}, { Types: types });
    await subscribe(subaccount(simulator, 1));
    await subscribe(simulator.parent());
    await raise(30450);
    expect(hook.received).toEqual([]);
  });

  it("reaches the parent's sink where its subscription takes the subaccounts' events, signed by the parent", async () => {
    await subscribe(simulator.parent(), {}, { ReceiveEventsFromSubaccounts: "true" });
    await raise(30450);
    const [call] = hook.received;
    const signed = { url: new URL(call?.url ?? "", hook.url).href, text: call?.body ?? "" };
    const signature = String(call?.headers["x-twilio-signature"]);
    expect(isTextSignedWith(simulator.parent().authToken, signature, signed)).toBe(true);
    expect(JSON.parse(signed.text)[0].data.account_sid).toBe(sub.accountSid);
    expect(simulator.errorDeliveries()).toMatchObject([
      { to: "event-streams", accountSid: sub.accountSid, signedBy: simulator.parent().accountSid },
    ]);
  });
});

describe("a delivery", () => {
  const answers = [
    [[503, 429, 200], 3],
    [[500, 500, 500, 500], 4],
    [[400], 1],
    [[403], 1],
    [[404], 1],
    [[204], 1],
  ] as const;
  for (const [statuses, tries] of answers) {
    it(`answered ${statuses.join(", ")} is tried ${tries} times, with the same event`, async () => {
      await restart({}, (nth) => statuses[nth - 1] ?? 204);
      await subscribe();
      await raise(30450);
      expect(hook.received).toHaveLength(tries);
      expect(new Set(hook.received.map(({ url, body }) => url + body)).size).toBe(1);
    });
  }

  it("that is not answered in time is tried again", async () => {
    await restart({ sinkTimeoutMs: 40 }, (nth) => (nth === 1 ? "never" : 204));
    await subscribe();
    await raise(30450);
    expect(simulator.errorDeliveries().map(({ outcome }) => outcome.kind)).toEqual(["timed-out", "answered"]);
  });

  it("is signed anew with each try: a token can be rotated in between", async () => {
    await restart({}, (nth) => {
      if (nth === 1) simulator.rotateAuthToken(sub.accountSid);
      return nth === 1 ? 503 : 204;
    });
    await subscribe();
    await raise(30450);
    const signatures = hook.received.map(({ headers }) => headers["x-twilio-signature"]);
    expect(new Set(signatures).size).toBe(2);
  });
});
