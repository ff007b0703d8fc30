import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { accountPath, apiOf, type Credentials, quietSimulator, subaccount } from "./api.ts";
import { clockAt } from "./webhook.ts";

let simulator: TwilioSimulator;
let sub: Credentials;
const clock = clockAt("2026-11-20T12:00:00Z");
beforeEach(async () => {
  simulator = await quietSimulator({ clock });
  sub = subaccount(simulator);
});
afterEach(() => simulator.close());

const keysPath = (rest = "") => accountPath(sub.accountSid, `/Keys${rest}`);
const sidsIn = (body: { keys: { sid: string }[] }) => body.keys.map(({ sid }) => sid);

describe("the API keys of an account", () => {
  it("are there from the start: one or two, older than today, the same for the same seed", async () => {
    const again = await quietSimulator({ clock });
    for (const { accountSid } of simulator.subaccounts()) {
      const { keys } = (await apiOf(simulator).get(accountPath(accountSid, "/Keys"))).body;
      expect([1, 2]).toContain(keys.length);
      for (const { date_created } of keys) expect(Date.parse(date_created)).toBeLessThan(Date.parse("2026-11-20"));
      expect(sidsIn({ keys })).toEqual(again.keys(accountSid).map(({ sid }) => sid));
    }
    await again.close();
    const { accountSid } = simulator.parent();
    expect((await apiOf(simulator).get(accountPath(accountSid, "/Keys"))).body.keys).toEqual([]);
  });

  it("come by pages, each key once", async () => {
    for (let count = 0; count < 4; count += 1) simulator.stealKey(sub.accountSid);
    const seen: string[] = [];
    let next: string | null = `${keysPath()}?PageSize=2`;
    while (next !== null) {
      const { body } = await apiOf(simulator).get(next);
      seen.push(...sidsIn(body));
      next = body.next_page_uri;
    }
    expect(seen).toEqual(simulator.keys(sub.accountSid).map(({ sid }) => sid));
    expect(seen.length).toBeGreaterThan(4);
  });

  it("are none for a subaccount that the API has just made", async () => {
    const { body } = await apiOf(simulator).post("/2010-04-01/Accounts.json", { FriendlyName: "New" });
    expect(simulator.keys(body.sid)).toEqual([]);
    expect(simulator.phoneNumbers(body.sid)).toEqual([]);
  });
});

describe("an API key", () => {
  it("shows its secret once, when it is made", async () => {
    const { status, body } = await apiOf(simulator).post(keysPath(), { FriendlyName: "Deploy" });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { friendly_name: "Deploy", date_created: "Fri, 20 Nov 2026 12:00:00 +0000", secret: expect.any(String) },
    });
    const read = (await apiOf(simulator).get(keysPath(`/${body.sid}`))).body;
    expect(read).toMatchObject({ sid: body.sid, friendly_name: "Deploy" });
    expect(JSON.stringify((await apiOf(simulator).get(keysPath())).body)).not.toContain(body.secret);
  });

  it("is renamed, and gone once deleted, also by the parent of a suspended account", async () => {
    await apiOf(simulator).post(accountPath(sub.accountSid), { Status: "suspended" });
    const [key] = simulator.keys(sub.accountSid);
    const path = keysPath(`/${key?.sid}`);
    expect((await apiOf(simulator).post(path, { FriendlyName: "Old" })).body).toMatchObject({ friendly_name: "Old" });
    expect(await apiOf(simulator).delete(path)).toEqual({ status: 204, body: undefined });
    for (const method of ["get", "post", "delete"] as const) {
      expect(await apiOf(simulator)[method](path)).toMatchObject({ status: 404, body: { code: 20404 } });
    }
  });

  it("with too long a name is refused", async () => {
    const before = simulator.keys(sub.accountSid);
    expect((await apiOf(simulator).post(keysPath(), { FriendlyName: "n".repeat(65) })).status).toBe(400);
    const path = keysPath(`/${before[0]?.sid}`);
    expect((await apiOf(simulator).post(path, { FriendlyName: "n".repeat(65) })).status).toBe(400);
    expect(simulator.keys(sub.accountSid)).toEqual(before);
  });
});
