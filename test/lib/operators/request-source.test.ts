import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { sourceAt, sourceOf } from "../../../lib/operators/request-source.ts";

describe("sourceAt", () => {
  test.each([
    ["192.0.2.17", "192.0.2.17", "192.0.2.0/24"],
    ["::ffff:192.0.2.17", "192.0.2.17", "192.0.2.0/24"],
    ["::FFFF:192.0.2.17", "192.0.2.17", "192.0.2.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002::/64", "2001:0db8:0001::/48"],
    ["2001:DB8:1:2::9", "2001:0db8:0001:0002::/64", "2001:0db8:0001::/48"],
    ["fe80::1%eth0", "fe80:0000:0000:0000::/64", "fe80:0000:0000::/48"],
    ["::1", "0000:0000:0000:0000::/64", "0000:0000:0000::/48"],
    ["", "unknown", "unknown"],
    ["localhost", "unknown", "unknown"],
    ["192.0.2.17, 198.51.100.1", "unknown", "unknown"],
    ["1:2:3", "unknown", "unknown"],
  ])("%s counts as %s, and is logged as %s", (address, name, prefix) => {
    expect(sourceAt(address)).toEqual({ name, prefix });
  });
});

describe("sourceOf", () => {
  const headers = { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9" };
  async function nameIn(env?: object) {
    const app = new Hono().get("/", (c) => c.text(sourceOf(c).name));
    return (await app.request("/", { headers }, env)).text();
  }

  test.each([
    ["API Gateway's event", { requestContext: { http: { sourceIp: "192.0.2.1" } } }, "192.0.2.1"],
    ["a socket", { incoming: { socket: { remoteAddress: "127.0.0.1" } } }, "127.0.0.1"],
    ["a socket that is closed", { incoming: { socket: {} } }, "unknown"],
    ["an event without an address", { requestContext: {} }, "unknown"],
    ["nothing", undefined, "unknown"],
  ])("%s, whatever the headers say", async (_what, env, name) => {
    expect(await nameIn(env)).toBe(name);
  });
});
