import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CountingProxy, startProxy } from "../../bench/proxy.ts";
import { type Listening, listening } from "../../local/listening.ts";

let server: Server;
let target: Listening;
let proxy: CountingProxy;

beforeEach(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    response.writeHead(request.url === "/missing" ? 404 : 200, { "x-method": request.method }).end(`got ${body}`);
  });
  target = await listening(server.listen(0, "127.0.0.1"));
  proxy = await startProxy(target.url, 30);
});
afterEach(async () => {
  await proxy.close();
  await target.close();
});

it("passes everything on, and writes down when", async () => {
  const answer = await fetch(`${proxy.url}/path?query`, { method: "POST", body: "a body" });
  expect([answer.status, answer.headers.get("x-method"), await answer.text()]).toEqual([200, "POST", "got a body"]);
  expect((await fetch(`${proxy.url}/missing`)).status).toBe(404);

  const [post, get] = proxy.exchanges;
  expect([post?.what, get?.what]).toEqual(["POST /path?query", "GET /missing"]);
  expect((post?.ended ?? 0) - (post?.begun ?? 0)).toBeGreaterThanOrEqual(29);
  expect(get?.begun).toBeGreaterThanOrEqual(post?.ended ?? Number.POSITIVE_INFINITY);
});

it("cuts the caller's connection when the target is gone", async () => {
  await target.close();
  await expect(fetch(proxy.url)).rejects.toThrow();
  expect(proxy.exchanges).toMatchObject([{ what: "GET /", ended: Number.POSITIVE_INFINITY }]);
});
