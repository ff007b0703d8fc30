import { afterEach, expect, test } from "vitest";
import * as z from "zod/mini";
import { twilioClient } from "../../../lib/twilio/client.ts";
import { pages } from "../../../lib/twilio/paging.ts";
import { type Listening, serve } from "../../cli/command-line.ts";

const Page = z.object({
  things: z.array(z.number()),
  next_page_uri: z.nullish(z.string()),
  meta: z.optional(z.object({ next_page_url: z.nullish(z.string()) })),
});

let server: Listening;
let asked: string[];
afterEach(() => server.close());

/** Reads all pages from a server whose nth answer is `answers[n]`. */
async function readAll(answer: (page: number) => { status?: number; body: unknown }) {
  asked = [];
  server = await serve((request, response) => {
    asked.push(String(request.url));
    const { status = 200, body } = answer(asked.length - 1);
    response.writeHead(status).end(JSON.stringify(body));
  });
  const twilio = twilioClient({ accountSid: "AC", authToken: async () => "x", apiUrl: server.url });
  return pages(twilio, { path: "/things?PageSize=2", answer: Page, items: (page) => page.things, timeoutMs: 2_000 });
}

test.each([null, undefined, ""])("the end is a next_page_uri of %j", async (end) => {
  const answer = await readAll((page) => ({
    body:
      page < 2 ? { things: [page], next_page_uri: `/things?Page=${page + 1}` } : { things: [9], next_page_uri: end },
  }));
  expect(answer).toEqual({ kind: "ok", body: [0, 1, 9] });
  expect(asked).toEqual(["/api/things?PageSize=2", "/api/things?Page=1", "/api/things?Page=2"]);
});

test("a newer API gives the next page's whole address, in `meta`", async () => {
  const answer = await readAll((page) => ({
    body: { things: [page], meta: { next_page_url: page < 2 ? `${server.url}/api/things?Page=${page + 1}` : null } },
  }));
  expect(answer).toEqual({ kind: "ok", body: [0, 1, 2] });
  expect(asked).toEqual(["/api/things?PageSize=2", "/api/things?Page=1", "/api/things?Page=2"]);
});

test("half a list is no list", async () => {
  const answer = await readAll((page) =>
    page === 0 ? { body: { things: [1], next_page_uri: "/more" } } : { status: 503, body: {} },
  );
  expect(answer).toMatchObject({ kind: "failed", failure: { kind: "retryable", status: 503 } });
});

test("a list that never ends is given up", async () => {
  const answer = await readAll(() => ({ body: { things: [], next_page_uri: "/things" } }));
  expect(answer).toMatchObject({ kind: "failed", failure: { message: "more than 1000 pages" } });
  expect(asked).toHaveLength(1000);
});
