import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../lib/inbox/commands.ts";
import { readPolicy } from "../../lib/policy/policy-file.ts";
import { type Answer, send } from "../local/twilio/api.ts";
import { reactivate } from "../support/commands.ts";
import { type Death, type Lives, livesIn } from "../support/lives.ts";
import { type Rig, startRig } from "../support/responder-rig.ts";
import { firing } from "../support/signals.ts";

// Killed between any two steps, while somebody has the old auth token and waits for the account to be active: it ends
// suspended, or active without anything of his.

const POLICY = `
limits:
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
`;
const MOMENT_MS = 5;
let rig: Rig;
let lives: Lives;
let isOver = false;

beforeAll(async () => {
  rig = await startRig();
  lives = livesIn(rig);
});
afterAll(async () => {
  isOver = true;
  await Promise.all(attacks);
  await rig.close();
  lives.close();
});

/** What he has seen, by account. */
const seen = new Map<string, Set<string>>();
const keysBefore = new Map<string, unknown>();
const attacks: Promise<void>[] = [];

const primary = (account: string) => rig.simulator.account(account).authToken;
const isActive = (account: string) => rig.simulator.account(account).status === "active";
const isIn = (account: string) => isActive(account) && seen.get(account)?.has(primary(account)) === true;
const keysPath = (account: string) => `/2010-04-01/Accounts/${account}/Keys`;
const keysOf = async (account: string) =>
  (await send(rig.simulator, rig.simulator.parent(), "GET", `${keysPath(account)}.json`)).body.keys;

async function attacker(account: string, method: string, path: string, form?: Record<string, string>) {
  const credentials = { accountSid: account, authToken: primary(account) };
  // With what he has seen alone: the check and the request are one moment.
  if (!isIn(account)) return { status: 401, body: undefined };
  const answer: Answer = await send(rig.simulator, credentials, method, path, form);
  const { auth_token: promoted, secondary_auth_token: made } = answer.body ?? {};
  for (const token of [promoted, made]) if (typeof token === "string") seen.get(account)?.add(token);
  return answer;
}

async function settleIn(account: string): Promise<void> {
  await attacker(account, "POST", `${keysPath(account)}.json`, { FriendlyName: "to come back by" });
  const triggers = `/2010-04-01/Accounts/${account}/Usage/Triggers`;
  const { body } = await attacker(account, "GET", `${triggers}.json`);
  for (const { sid } of body?.usage_triggers ?? []) await attacker(account, "DELETE", `${triggers}/${sid}.json`);
}

/** He takes the account over with a token of his own. */
async function promoteOwn(account: string): Promise<void> {
  await attacker(account, "DELETE", "/v1/AuthTokens/Secondary");
  await attacker(account, "POST", "/v1/AuthTokens/Secondary");
  await attacker(account, "POST", "/v1/AuthTokens/Promote");
}

/** He waits for ours, and promotes that: Twilio's answer tells it. */
async function promoteOurs(account: string): Promise<void> {
  while (!isOver && isIn(account) && (await attacker(account, "POST", "/v1/AuthTokens/Promote")).status !== 200) {
    await moment();
  }
}

const moment = () => new Promise((resolve) => setTimeout(resolve, MOMENT_MS));

async function contained(promote: (account: string) => Promise<void>): Promise<ReactivateCommand> {
  const { accountSid } = rig.simulator.addSubaccount();
  seen.set(accountSid, new Set([primary(accountSid)]));
  await rig.deliver(firing(accountSid), { policy: readPolicy(POLICY, "policy.yml") });
  const [recorded] = await rig.incidentsOf(accountSid);
  if (recorded === undefined) throw new Error("there is no incident");
  keysBefore.set(accountSid, await keysOf(accountSid));
  attacks.push(attackOnce(accountSid, promote));
  return reactivate(recorded.incident, { acknowledge: ["api-keys", "triggers"], cleanup: ["auth-token"] });
}

async function attackOnce(account: string, promote: (account: string) => Promise<void>): Promise<void> {
  while (!isOver && !isActive(account)) await moment();
  await settleIn(account);
  await promote(account);
}

/** @returns how it ended. */
async function expectSafe({ message, death }: Death<ReactivateCommand>): Promise<string> {
  const { accountSid } = message;
  const recorded = await rig.incidentsOf(accountSid);
  expect(recorded, death).toHaveLength(1);
  const state = recorded[0]?.incident.state ?? "";
  expect([`${state}, ${rig.simulator.account(accountSid).status}`], death).toContainEqual(
    expect.stringMatching(/^(suspended, suspended|reactivated, active)$/),
  );
  if (state === "suspended") return state;
  expect(isIn(accountSid), death).toBe(false);
  expect(await keysOf(accountSid), death).toEqual(keysBefore.get(accountSid));
  const guards = (await rig.triggersOf(accountSid)).filter(({ friendlyName }) => friendlyName.endsWith("probation"));
  expect(guards, death).toMatchObject([{ dateFired: null, triggerValue: expect.stringMatching(/^25(\.0+)?$/) }]);
  return state;
}

async function killedUnderAttack(promote: (account: string) => Promise<void>): Promise<string[]> {
  const deaths = await lives.killEverywhere(() => contained(promote), await lives.policyFile(POLICY));
  expect(deaths.filter(({ killed }) => killed).length).toBeGreaterThan(deaths.length * 0.7);
  const ends: string[] = [];
  for (const death of deaths) ends.push(await expectSafe(death));
  return ends;
}

describe("a reactivation, killed at any request, of an account whose old auth token somebody has", () => {
  test("and who puts one of his own in its place", { timeout: 400_000 }, async () => {
    expect(await killedUnderAttack(promoteOwn)).toContain("suspended");
  });

  test("and who puts ours in its place, to learn it", { timeout: 400_000 }, async () => {
    expect(await killedUnderAttack(promoteOurs)).toContain("reactivated");
  });
});
