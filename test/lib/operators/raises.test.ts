import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RaiseRecord } from "../../../lib/incidents/raise-store.ts";
import { policyOf } from "../../support/policies.ts";
import {
  type CommandRig,
  commandRig,
  commandsIn,
  get,
  NOW,
  newAccount,
  PARENT,
  PUBLIC_URL,
  post,
} from "./command-rig.ts";

const POLICY = policyOf(`
limits:
  daily-spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
`);
const REASON = "a campaign of theirs until the evening";
const inHours = (hours: number) => new Date(NOW.getTime() + hours * 3600_000).toISOString();
const BODY = { reason: REASON, to: 500, until: inHours(6) };

let rig: CommandRig;
let account: string;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  rig.clock.set(NOW);
  account = newAccount();
});
afterEach(() => rig.emptyInbox());

const place = (verb: string, limit = "daily-spend", sid = account) => `/api/subaccounts/${sid}/limits/${limit}/${verb}`;
const send = (path: string, body: unknown, more = {}) => post(rig, path, { body, parts: { policy: POLICY }, ...more });

describe("raising a limit", () => {
  it("is handed over as it was asked for, in UTC, and says where to follow it", async () => {
    const answer = await send(place("raise"), { ...BODY, until: "2026-11-21T20:00:00+02:00" });
    const [command] = commandsIn(rig);
    expect(answer).toMatchObject({ status: 202, body: { command: command?.id, incidentId: null, incident: null } });
    expect(answer.headers.get("location")).toBe(`${PUBLIC_URL}/api/raises?account=${account}`);
    expect(command).toMatchObject({
      ...{ kind: "raise-limit", accountSid: account, limit: "daily-spend", to: "500" },
      ...{ until: "2026-11-21T18:00:00.000Z", operator: "olga", reason: REASON, receivedAt: NOW.toISOString() },
    });
  });

  it("is taken back in the same way", async () => {
    expect((await send(place("end-raise"), { reason: REASON })).status).toBe(202);
    expect(commandsIn(rig)).toMatchObject([{ kind: "end-raise", accountSid: account, limit: "daily-spend" }]);
  });

  it.each<[string, () => [string, unknown], number, string]>([
    ["beyond the ceiling", () => [place("raise"), { ...BODY, to: "1001" }], 422, "raise-too-high"],
    ["to what it is", () => [place("raise"), { ...BODY, to: 100 }], 422, "raise-too-low"],
    ["to nothing", () => [place("raise"), { ...BODY, to: undefined }], 422, "raise-value-invalid"],
    ["for ever", () => [place("raise"), { ...BODY, until: undefined }], 422, "raise-until-invalid"],
    ["of a limit that there is not", () => [place("raise", "dayly-spend"), BODY], 422, "limit-not-raisable"],
    [
      "to an end, of such a limit",
      () => [place("end-raise", "dayly-spend"), { reason: REASON }],
      422,
      "limit-not-raisable",
    ],
    ["without a reason", () => [place("raise"), { ...BODY, reason: "" }], 422, "reason-too-short"],
    ["of the parent", () => [place("raise", "daily-spend", PARENT), BODY], 409, "parent-account"],
    ["of no account", () => [place("raise", "daily-spend", "AC1"), BODY], 404, "account-not-found"],
    ["with an unknown member", () => [place("raise"), { ...BODY, unti: "x" }], 400, "body-invalid"],
  ])("%s is refused, and nothing is handed over", async (_, asked, status, code) => {
    const [path, body] = asked();
    expect(await send(path, body)).toMatchObject({ status, body: { code } });
    expect(rig.inbox()).toEqual([]);
  });
});

describe("GET /api/raises", () => {
  const record = (changes: Partial<RaiseRecord>): RaiseRecord => ({
    ...{ command: "c1", accountSid: account, limit: "daily-spend", from: "100", to: "500", until: inHours(6) },
    ...{ operator: "olga", road: "cli" as const, reason: REASON, at: NOW.toISOString() },
    ...{ ended: null, state: "raised" as const, why: null },
    ...changes,
  });
  const ended = (at: string, until: string | null) => ({
    state: "ended" as const,
    ended: { at, operator: null, reason: null, spent: "300", rest: until === null ? null : { to: "400", until } },
  });

  async function states(query: string): Promise<[string, string][]> {
    const { body } = await get(rig, `/api/raises${query}`);
    return body.raises.map(({ command, state }: { command: string; state: string }) => [command, state]);
  }

  it("tells of each how it stands; without an account, of none that is long over", async () => {
    const { store } = rig;
    const days = (count: number) => inHours(-24 * count);
    await store.recordRaise(record({ command: "c5" }));
    await store.recordRaise(record({ command: "c4", at: days(1), until: inHours(-1) }));
    await store.recordRaise(record({ command: "c3", at: days(2), ...ended(inHours(-1), inHours(9)) }));
    await store.recordRaise(record({ command: "c2", at: days(3), ...ended(days(2), days(2)) }));
    await store.recordRaise(record({ command: "c1", at: days(50), until: days(49), ...ended(days(49), null) }));
    const lately = [
      ["c5", "raised"],
      ["c4", "ending"],
      ["c3", "resting"],
      ["c2", "ended"],
    ];
    expect(await states("")).toEqual(lately);
    expect(await states(`?account=${account}`)).toEqual([...lately, ["c1", "ended"]]);
    expect(await states(`?account=${newAccount()}`)).toEqual([]);
  });
});
