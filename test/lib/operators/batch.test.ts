import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Check, digestOf } from "../../../lib/incidents/checklist.ts";
import { reactivationAsked } from "../../../lib/incidents/coming-back.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { joined } from "../../../lib/incidents/record.ts";
import { judgeApiKeys } from "../../../lib/response/judge-checks.ts";
import { errorsCounted, firing } from "../../support/signals.ts";
import { type CommandRig, commandRig, commandsIn, NOW, PARENT, post } from "./command-rig.ts";
import { CHECKLIST, incidentIn, type Wanted } from "./incidents-in-states.ts";

const REASON = "Twilio's billing counted twelve times too much";
const KEYS = judgeApiKeys(
  [{ sid: "SK1", friendlyName: "app", dateCreated: "2026-01-01T00:00:00.000Z" }],
  "2026-11-21T02:04:05.000Z",
);
/** Any account has keys, and the auth token that it had. */
const USUAL: readonly Check[] = [
  ...CHECKLIST.filter(({ id }) => id !== "api-keys" && id !== "auth-token"),
  KEYS,
  { id: "auth-token", answer: "not-done", why: "it is still the one that the account had when it was suspended" },
];
const SINCE = "2026-11-21T01:00:00.000Z";

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
afterEach(() => rig.emptyInbox());

const suspended = (wanted: Partial<Wanted> = {}) =>
  incidentIn(rig, { state: "suspended", checklist: USUAL, ...wanted });
const named = (incidents: readonly Incident[]) =>
  incidents.map(({ id, checklist }) => ({ id, ...(checklist !== null && { checklist: digestOf(checklist) }) }));

function ask(incidents: readonly Incident[], changes: object = {}, headers: Record<string, string> = {}) {
  const answers = { acknowledge: ["api-keys", "auth-token"], cleanup: ["triggers"] };
  const body = {
    reason: REASON,
    rules: ["sms-spend"],
    since: SINCE,
    ...answers,
    incidents: named(incidents),
    ...changes,
  };
  return post(rig, "/api/incidents/reactivate", { body, headers });
}

describe("several incidents by one request", () => {
  it("are handed over in one message, with the lists that were shown; each can be followed by a command of its own", async () => {
    const all = [await suspended(), await suspended()];
    const answer = await ask(all);
    expect(answer).toMatchObject({ status: 202, body: { leftOut: [] } });
    const [command] = commandsIn(rig);
    expect(command).toMatchObject({
      ...{ kind: "batch", action: "reactivate", accountSid: PARENT, operator: "olga", road: "api", reason: REASON },
      ...{ rules: ["sms-spend"], since: SINCE, acknowledge: ["api-keys", "auth-token"], cleanup: ["triggers"] },
      incidents: all.map(({ id, accountSid }) => ({
        incidentId: id,
        accountSid,
        checklist: digestOf({ items: USUAL }),
      })),
    });
    expect(answer.body.incidents).toEqual(
      all.map(({ id, accountSid }) => ({ id, accountSid, command: `${command?.id}:${id}` })),
    );
  });

  it("dismissed: those that are alerted or failed", async () => {
    const all = [await incidentIn(rig, { state: "alerted" }), await incidentIn(rig, { state: "failed" })];
    const rules = [...new Set(all.map(({ rule }) => rule))];
    const body = { reason: REASON, rules, since: SINCE, incidents: all.map(({ id }) => ({ id })) };
    expect(await post(rig, "/api/incidents/dismiss", { body })).toMatchObject({ status: 202, body: { leftOut: [] } });
    expect(commandsIn(rig)).toMatchObject([{ kind: "batch", action: "dismiss", incidents: [{}, {}] }]);
  });

  it("leave out each that needs a person's look, and say why", async () => {
    const fit = await suspended();
    const thief = { ...KEYS, why: KEYS.why.replace(", 0 made", ", 1 made") };
    const others: [Incident, string, RegExp][] = [
      [
        await suspended({ checklist: [...USUAL.filter(({ id }) => id !== "api-keys"), thief] }),
        "needs-a-look",
        /1 made during/,
      ],
      [await suspended({ checklist: CHECKLIST }), "needs-a-look", /auth-token: Twilio does not show/],
      [await suspended({ checklist: null }), "checklist-unread", /not read yet/],
      [await suspended({ by: "closed" }), "account-closed", /closed/],
      [await withJoined(await suspended(), "errors"), "other-rule", /sms-pumping/],
      [await withJoined(await suspended(), "calls"), "other-rule", /calls by count/],
      [await incidentIn(rig, { state: "reactivated" }), "state-conflict", /over/],
    ];
    const { body } = await ask([fit, ...others.map(([incident]) => incident)]);
    expect(body.incidents.map(({ id }: { id: string }) => id)).toEqual([fit.id]);
    expect(body.leftOut).toEqual(
      others.map(([{ id, accountSid }, code, why]) => ({ id, accountSid, code, why: expect.stringMatching(why) })),
    );
    expect(commandsIn(rig)).toMatchObject([{ incidents: [{ incidentId: fit.id }] }]);
  });

  it("leave out what is of another rule, or fired before that time", async () => {
    const one = await suspended();
    const other = await ask([one], { rules: ["daily-spend"] });
    expect(other.body.leftOut).toMatchObject([{ code: "other-rule", why: "It tripped by sms-spend." }]);
    const later = await ask([one], { since: "2999-01-01T00:00:00.000Z" });
    expect(later.body.leftOut).toMatchObject([{ code: "other-time", why: expect.stringContaining("It fired at 20") }]);
    expect(commandsIn(rig)).toEqual([]);
  });

  it("leave out the one whose check-list is another by now, or was not shown", async () => {
    const [fit, changed, blind] = [await suspended(), await suspended(), await suspended()];
    const incidents = [...named([fit]), { id: changed.id, checklist: "0123456789abcdef" }, { id: blind.id }];
    const { body } = await ask([], { incidents });
    expect(body.leftOut).toMatchObject([
      { id: changed.id, code: "checklist-changed" },
      { id: blind.id, code: "checklist-unnamed" },
    ]);
    expect(body.incidents).toHaveLength(1);
  });

  it("are refused where none is left, and each says why", async () => {
    const one = await suspended({ checklist: null });
    expect(await ask([one])).toMatchObject({
      ...{ status: 409, body: { code: "none-left", leftOut: [{ id: one.id, code: "checklist-unread" }] } },
    });
    const unknown = await ask([], { incidents: [{ id: "20991231T235959999-00000000" }] });
    expect(unknown).toMatchObject({ body: { leftOut: [{ code: "incident-not-found", accountSid: null }] } });
    expect(commandsIn(rig)).toEqual([]);
  });

  it("under the same key are asked for once, also where some are back by then", async () => {
    const all = [await suspended(), await suspended()];
    const key = { "Idempotency-Key": "glitch-1" };
    const first = await ask(all, {}, key);
    expect((await ask(all, {}, key)).body).toEqual(first.body);
    expect(commandsIn(rig)).toHaveLength(1);
    const [one] = all;
    const found = one && (await rig.store.load(one.id));
    if (one === undefined || found === undefined) throw new Error("there is no incident");
    const own = {
      id: `${first.body.command}:${one.id}`,
      receivedAt: NOW.toISOString(),
      operator: "olga",
      reason: REASON,
    };
    const answers = { acknowledge: [], cleanup: [], countries: [], seen: [] };
    const { accountSid } = one;
    const command = { kind: "reactivate", ...own, road: "api", accountSid, incidentId: one.id, ...answers } as const;
    await rig.store.save(reactivationAsked(found, command, NOW));
    expect((await ask(all, {}, key)).body).toEqual(first.body);
  });

  it.each([
    ["no rule", { rules: [] }],
    ["no time", { since: "yesterday" }],
    ["a time without a zone", { since: "2026-11-21T01:00:00" }],
    ["no incident", { incidents: [] }],
    ["101 of them", { incidents: Array(101).fill({ id: "20991231T235959999-00000000" }) }],
    ["all of them, unnamed", { incidents: undefined }],
  ])("%s: 400", async (_what, changes) => {
    expect(await ask([], changes)).toMatchObject({ status: 400, body: { code: "body-invalid" } });
  });

  it("need a reason, and the role operator", async () => {
    const all = [await suspended()];
    expect(await ask(all, { reason: "short" })).toMatchObject({ status: 422, body: { code: "reason-too-short" } });
    const viewer = { as: "viewer", body: {} } as const;
    expect(await post(rig, "/api/incidents/reactivate", viewer)).toMatchObject({ status: 403 });
  });
});

async function withJoined({ id, accountSid }: Incident, kind: "errors" | "calls"): Promise<Incident> {
  const found = await rig.store.load(id);
  if (found === undefined) throw new Error("there is no incident");
  const calls = { usageCategory: "calls", triggerBy: "count" } as const;
  const signal = kind === "errors" ? errorsCounted(accountSid, { rule: "sms-pumping" }) : firing(accountSid, calls);
  return (await rig.store.save(joined(found, signal, "joined", NOW))).incident;
}
