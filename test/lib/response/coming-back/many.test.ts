import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Command } from "../../../../lib/inbox/commands.ts";
import type { Outcome } from "../../../../lib/response/responder.ts";
import type { TwilioClient } from "../../../../lib/twilio/client.ts";
import { reactivate, restoreNumbers, suspend } from "../../../support/commands.ts";
import { type Recorded, type Rig, startRig } from "../../../support/responder-rig.ts";
import { letPass } from "../../../support/shifted-date.ts";

// What does not fit into one delivery goes on in the next one: one command, and nobody is called.

let rig: Rig;
let account: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
});
afterEach(() => rig.mend());

const DONE = { kind: "done" };

async function story(): Promise<Recorded> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

/** Hands the command out until it is finished. @returns in how many deliveries */
async function deliveries(command: Command, changes: { twilio?: TwilioClient } = {}): Promise<number> {
  for (let attempt = 1; attempt < 20; attempt++) {
    const outcome: Outcome | { kind: "threw"; error: unknown } = await rig.deliver(command, { attempt, ...changes });
    if (outcome.kind === "done") return attempt;
    expect(outcome).toMatchObject({ kind: "again", why: expect.stringMatching(/there (is|are) more/) });
  }
  throw new Error("it was never finished");
}

/** As if each such request took its share of the time: ten go at once. */
function takes(milliseconds: number, method: string, path: string): void {
  const isSlow = (request: { method: string; path: string }) =>
    request.method === method && request.path.includes(path) && request.path.includes(account);
  rig.twilio.fail({ on: isSlow, do: "call", hook: () => letPass(milliseconds) });
}

const counts = ({ timeline }: Recorded, name: string) =>
  timeline.filter(({ what }) => what === name).map(({ detail }) => detail["count"]);

test("API keys: each delivery tells how far it is, the last one how many they were", async () => {
  for (let count = 0; count < 250; count += 1) rig.simulator.stealKey(account);
  const all = rig.simulator.keys(account).length;
  expect(await rig.deliver(suspend(account))).toEqual(DONE);
  takes(100, "DELETE", "/Keys/");
  const acknowledge = ["suspended-by", "auth-token", "triggers"] as const;
  const command = reactivate((await story()).incident, { acknowledge: [...acknowledge], cleanup: ["api-keys"] });
  const tries = await deliveries(command);
  expect(tries).toBeGreaterThan(1);
  const recorded = await story();
  expect(recorded.incident).toMatchObject({ state: "reactivated", reactivation: { failure: null } });
  expect(rig.simulator.keys(account)).toEqual([]);
  const steps = counts(recorded, "cleaning-goes-on").map(Number);
  expect(steps).toHaveLength(tries - 1);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  // Ten at once: those whose answer came after the end of a delivery are gone, and not counted.
  const [deleted] = counts(recorded, "api-keys-deleted").map(Number);
  expect(deleted).toBeLessThanOrEqual(all);
  expect(deleted).toBeGreaterThanOrEqual(all - 10 * (tries - 1));
  expect((await rig.alertsOf(account)).map(({ about }) => about)).not.toContain("not-reactivated");
});

test("suspended in between, it stays suspended, and its command is over", async () => {
  for (let count = 0; count < 250; count += 1) rig.simulator.stealKey(account);
  expect(await rig.deliver(suspend(account))).toEqual(DONE);
  takes(100, "DELETE", "/Keys/");
  const command = reactivate((await story()).incident, { cleanup: ["api-keys"] });
  expect(await rig.deliver(command)).toMatchObject({ kind: "again" });
  expect(await rig.deliver(suspend(account))).toEqual(DONE);
  expect(await rig.deliver(command, { attempt: 2 })).toEqual(DONE);
  expect(await story()).toMatchObject({ incident: { state: "suspended" } });
  expect(rig.simulator.account(account).status).toBe("suspended");
});

test("what does not get on is no progress: suspended still, and people are told, in few words", async () => {
  for (let count = 0; count < 30; count += 1) rig.simulator.stealKey(account);
  expect(await rig.deliver(suspend(account))).toEqual(DONE);
  const refuses = (request: { method: string; path: string }) =>
    request.method === "DELETE" && request.path.includes(account);
  const body = JSON.stringify({ code: 20003, message: "Permission Denied", status: 403 });
  rig.twilio.fail({ on: refuses, do: "answer", status: 403, body });
  expect(await rig.deliver(reactivate((await story()).incident, { cleanup: ["api-keys"] }))).toEqual(DONE);
  const { incident } = await story();
  expect(incident).toMatchObject({ state: "suspended", reason: expect.stringMatching(/API keys .*, and \d+ more/) });
  expect(incident.reason.length).toBeLessThan(500);
  expect((await rig.alertsOf(account)).map(({ about }) => about)).toContain("not-reactivated");
});

/** A thousand phone numbers, more than the simulator has: what is not about one of them is the simulator's. */
function withNumbers(client: TwilioClient, numbers: Map<string, string>): TwilioClient {
  return {
    accountSid: client.accountSid,
    async send(request) {
      const [path, sid = ""] = /IncomingPhoneNumbers(?:\/(\w+))?\.json/.exec(request.path) ?? [];
      if (path === undefined) return client.send(request);
      letPass(20);
      const { form } = request;
      if (form !== undefined) numbers.set(sid, form["VoiceUrl"] ?? "");
      const one = { sid, voice_url: numbers.get(sid) };
      const all = [...numbers].map(([each, voice_url]) => ({ sid: each, voice_url }));
      const body = sid === "" ? { incoming_phone_numbers: all, next_page_uri: null } : one;
      return { kind: "ok", body: z.parse(request.answer, body) };
    },
  };
}

test("phone numbers: unrouted, and given their webhooks back, by one command each", async () => {
  const webhook = "https://shop.example/voice";
  const sid = (n: number) => `PN${n.toString(16).padStart(32, "0")}`;
  const numbers = new Map(Array.from({ length: 1000 }, (_, n) => [sid(n), webhook]));
  const twilio = withNumbers(rig.responder().twilio, numbers);
  expect(await rig.deliver(suspend(account), { twilio })).toEqual(DONE);
  const command = reactivate((await story()).incident, { cleanup: ["unroute-numbers"] });
  expect(await deliveries(command, { twilio })).toBeGreaterThan(1);
  const recorded = await story();
  expect(recorded.incident).toMatchObject({ state: "reactivated" });
  expect(new Set(numbers.values())).toEqual(new Set([""]));
  expect(counts(recorded, "numbers-unrouted")).toEqual([1000]);
  expect(counts(recorded, "numbers-checked")).toEqual([1000]);

  expect(await deliveries(restoreNumbers(recorded.incident), { twilio })).toBeGreaterThan(1);
  expect(new Set(numbers.values())).toEqual(new Set([webhook]));
  const after = await story();
  expect(counts(after, "restoring-goes-on").length).toBeGreaterThan(0);
  expect(counts(after, "numbers-restored")).toEqual([1000]);
  expect((await rig.alertsOf(account)).map(({ about }) => about)).not.toContain("not-reactivated");
});
