import { afterEach, expect, test } from "vitest";
import * as z from "zod/mini";
import { twilioClient } from "../../../lib/twilio/client.ts";
import { pages, pagesSoFar } from "../../../lib/twilio/paging.ts";
import { type Listening, serve } from "../../cli/command-line.ts";

const Page = z.object({
  things: z.array(z.number()),
  next_page_uri: z.nullish(z.string()),
  meta: z.optional(z.object({ next_page_url: z.nullish(z.string()) })),
});

let server: Listening;
let asked: string[];
afterEach(() => server.close());

type Answering = (page: number) => { status?: number; body: unknown };

/** Reads all pages from a server that answers like this. */
const readAll = async (answer: Answering) => pages(await clientOf(answer), REQUEST);
const readSoFar = async (answer: Answering) => pagesSoFar(await clientOf(answer), REQUEST);

const REQUEST = {
  path: "/things?PageSize=2",
  answer: Page,
  items: (page: z.infer<typeof Page>) => page.things,
  timeoutMs: 2_000,
};

async function clientOf(answer: Answering) {
  asked = [];
  server = await serve((request, response) => {
    asked.push(String(request.url));
    const { status = 200, body } = answer(asked.length - 1);
    response.writeHead(status).end(JSON.stringify(body));
  });
  return twilioClient({ accountSid: "AC", authToken: async () => "x", apiUrl: server.url });
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

test.each([
  ["refused", { status: 400, body: { code: 70002, message: "Invalid page", status: 400 } }, { code: 70002 }],
  ["not there for now", { status: 503, body: {} }, { status: 503 }],
  ["not understood", { body: { things: "none" } }, { message: "the answer could not be understood (things)" }],
])("where a part is better than nothing, a page that is %s ends the list, and it says so", async (_, last, why) => {
  const answer = await readSoFar((page) => (page === 0 ? { body: { things: [1], next_page_uri: "/more" } } : last));
  expect(answer).toMatchObject({ kind: "ok", body: { items: [1], incomplete: why } });
});

test("a whole list says that it is whole; without a first page there is none", async () => {
  expect(await readSoFar(() => ({ body: { things: [1] } }))).toEqual({
    kind: "ok",
    body: { items: [1], incomplete: null },
  });
  await server.close();
  expect(await readSoFar(() => ({ status: 503, body: {} }))).toMatchObject({ kind: "failed" });
});

test("a list that never ends is given up", async () => {
  const answer = await readAll(() => ({ body: { things: [], next_page_uri: "/things" } }));
  expect(answer).toMatchObject({ kind: "failed", failure: { message: "more than 1000 pages" } });
  expect(asked).toHaveLength(1000);
});
