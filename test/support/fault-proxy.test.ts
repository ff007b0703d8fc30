import { afterEach, beforeEach, expect, test } from "vitest";
import { type Listening, serve } from "../cli/command-line.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";

let reached: string[];
let target: Listening;
let proxy: FaultProxy;

beforeEach(async () => {
  reached = [];
  target = await serve((request, response) => {
    reached.push(`${request.method} ${request.url}`);
    request.pipe(response.setHeader("x-target", "yes"));
  });
  proxy = await startFaultProxy(target.url);
});
afterEach(async () => {
  await proxy.close();
  await target.close();
});

const post = (path: string, headers: Record<string, string> = {}) =>
  fetch(proxy.url + path, { method: "POST", body: "some body", headers });

test("without rules it passes everything on as it came", async () => {
  const response = await post("/a?b=%27", { "x-amz-target": "AmazonSQS.SendMessage" });
  expect([response.status, response.headers.get("x-target"), await response.text()]).toEqual([200, "yes", "some body"]);
  expect(reached).toEqual(["POST /a?b=%27"]);
  expect(proxy.requests()).toMatchObject([{ path: "/a?b=%27", body: "some body", operation: "SendMessage" }]);
});

test("a rule acts from its nth request on, so many times, and only on those it applies to", async () => {
  proxy.fail({ on: ({ path }) => path === "/a", nth: 2, times: 1, do: "answer", status: 503, body: "no" });
  const statuses = [];
  for (const path of ["/a", "/b", "/a", "/a"]) statuses.push((await post(path)).status);
  expect(statuses).toEqual([200, 200, 503, 200]);
  expect(reached).toEqual(["POST /a", "POST /b", "POST /a"]);
});

test.each([
  ["before", 0],
  ["after", 1],
] as const)("a connection cut %s the server acted", async (when, acted) => {
  proxy.fail({ when, do: "cut" });
  await expect(post("/a")).rejects.toThrow("fetch failed");
  expect(reached).toHaveLength(acted);
  proxy.clear();
  expect((await post("/a")).status).toBe(200);
});

test("a hook runs before the server sees the request, or after it acted", async () => {
  const seen: number[] = [];
  proxy.fail({ times: 1, do: "call", hook: () => seen.push(reached.length) });
  proxy.fail({ nth: 2, when: "after", do: "call", hook: () => seen.push(reached.length) });
  await post("/a");
  await post("/a");
  expect(seen).toEqual([0, 2]);
});

test("a request that hangs or comes too late is given up by its client", async () => {
  proxy.fail({ times: 1, do: "hang" });
  proxy.fail({ nth: 2, when: "after", do: "delay", milliseconds: 300 });
  const impatient = () => fetch(proxy.url, { signal: AbortSignal.timeout(50) });
  await expect(impatient()).rejects.toThrow("timeout");
  expect(reached).toEqual([]);
  await expect(impatient()).rejects.toThrow("timeout");
  expect(reached).toEqual(["GET /"]);
});

test("down refuses connections; up listens on the same port again", async () => {
  await proxy.down();
  await expect(post("/a")).rejects.toThrow("fetch failed");
  await proxy.up();
  expect((await post("/a")).status).toBe(200);
});
