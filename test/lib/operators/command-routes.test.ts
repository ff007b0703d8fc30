import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dynamoBrakeReader } from "../../../lib/incidents/brake-reader.ts";
import { digestOf } from "../../../lib/incidents/checklist.ts";
import { reactivationAsked } from "../../../lib/incidents/coming-back.ts";
import { dynamoIncidentReader } from "../../../lib/incidents/dynamo-reader.ts";
import { incidentIdFor } from "../../../lib/incidents/record.ts";
import { COMMAND_PATHS } from "../../../lib/operators/command-routes.ts";
import { operatorApi } from "../../../lib/operators/operator-api.ts";
import { NO_BRAKE_STATE, release } from "../../../lib/policy/brake.ts";
import {
  type CommandRig,
  commandRig,
  commandsIn,
  ENFORCE,
  EXEMPT,
  NOW,
  newAccount,
  PARENT,
  PUBLIC_URL,
  post,
} from "./command-rig.ts";
import { CHECKLIST, incidentIn } from "./incidents-in-states.ts";

const REASON = "the leaked key was found and revoked";
const SHOWN = { checklist: digestOf({ items: CHECKLIST }) };
const ANSWERED = { reason: REASON, acknowledge: ["auth-token"], cleanup: ["api-keys"], ...SHOWN };
const NO_ID = "20991231T235959999-00000000";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
beforeEach(async () => {
  rig.clock.set(NOW);
  rig.logged();
  await rig.brake.update(() => ({ next: NO_BRAKE_STATE }));
  for await (const page of rig.brake.waiting.pages())
    for (const { accountSid } of page) await rig.brake.waiting.end(accountSid, NOW);
});
afterEach(() => rig.emptyInbox());

/** Sends, and asserts that nothing of it is left anywhere. */
async function refused(path: string, sent: Parameters<typeof post>[2] = {}) {
  const before = await rig.incidentsAndAccounts();
  const answer = await post(rig, path, sent);
  expect(rig.inbox()).toEqual([]);
  expect(await rig.incidentsAndAccounts()).toBe(before);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  for (const member of ["type", "title", "detail", "code"]) expect(answer.body[member]).toEqual(expect.any(String));
  return answer;
}

const envelope = (road = "api") => ({
  id: expect.stringMatching(UUID),
  operator: "olga",
  road,
  receivedAt: NOW.toISOString(),
});
const addressOf = (id: string) => `${PUBLIC_URL}/api/incidents/${id}`;

describe("a command that can be carried out", () => {
  it("reactivate: is handed over as it was asked for, and the answer says where to follow it", async () => {
    const { id, accountSid, checklist } = await incidentIn(rig, { state: "suspended" });
    const before = await rig.incidentsAndAccounts();
    const body = { ...ANSWERED, cleanup: ["api-keys", "voice-countries", "api-keys"], countries: ["US", "DE"] };
    const answer = await post(rig, `/api/incidents/${id}/reactivate`, { body });
    const [command] = commandsIn(rig);
    expect(answer).toMatchObject({
      status: 202,
      body: { command: command?.id, incidentId: id, incident: addressOf(id) },
    });
    expect(answer.headers.get("location")).toBe(addressOf(id));
    expect(command).toEqual({
      ...envelope(),
      ...{ kind: "reactivate", accountSid, incidentId: id, reason: REASON },
      ...{ acknowledge: ["auth-token"], cleanup: ["api-keys", "voice-countries"], countries: ["US", "DE"] },
      seen: checklist?.items,
    });
    expect(await rig.incidentsAndAccounts()).toBe(before);
  });

  it.each(["alerted", "failed"] as const)("dismiss: an incident that is %s", async (state) => {
    const { id, accountSid } = await incidentIn(rig, { state });
    expect(await post(rig, `/api/incidents/${id}/dismiss`, { body: { reason: REASON } })).toMatchObject({
      status: 202,
    });
    expect(commandsIn(rig)).toEqual([{ ...envelope(), kind: "dismiss", accountSid, incidentId: id, reason: REASON }]);
  });

  it("dismiss: a suspended one whose account was closed, at once or later", async () => {
    const closed = await incidentIn(rig, { state: "suspended", by: "closed", checklist: null });
    const later = CHECKLIST.map((check) =>
      check.id === "suspended-by" ? { ...check, answer: "not-done" as const } : check,
    );
    const closedLater = await incidentIn(rig, { state: "suspended", checklist: later });
    for (const { id } of [closed, closedLater]) {
      expect(await post(rig, `/api/incidents/${id}/dismiss`, { body: { reason: REASON } })).toMatchObject({
        status: 202,
      });
    }
  });

  it.each([undefined, {}, ""])("check: needs no reason, and no body (%j)", async (body) => {
    const { id, accountSid } = await incidentIn(rig, { state: "suspended", checklist: null });
    expect(await post(rig, `/api/incidents/${id}/check`, { body })).toMatchObject({ status: 202 });
    expect(commandsIn(rig)).toEqual([{ ...envelope(), kind: "check", accountSid, incidentId: id, reason: "" }]);
  });

  it.each(["suspended", "reactivated"] as const)("restore-numbers: of an incident that is %s", async (state) => {
    const accountSid = newAccount();
    const earlier = new Date(NOW.getTime() - 7_200_000);
    await incidentIn(rig, { state: "reactivated", accountSid, at: earlier, cleanup: ["unroute-numbers"] });
    const { id } = await incidentIn(rig, { state, accountSid });
    const answer = await post(rig, `/api/incidents/${id}/restore-numbers`, { body: { reason: REASON } });
    expect(answer.status).toBe(202);
    expect(commandsIn(rig)).toEqual([
      { ...envelope(), kind: "restore-numbers", accountSid, incidentId: id, reason: REASON },
    ]);
  });

  it.each(["open", "alerted", "failed", "suspended"] as const)(
    "suspend: joins an incident that is %s",
    async (state) => {
      const { id, accountSid } = await incidentIn(rig, { state });
      const answer = await post(rig, `/api/subaccounts/${accountSid}/suspend`, { body: { reason: REASON } });
      expect(answer).toMatchObject({ status: 202, body: { incidentId: id, incident: addressOf(id) } });
      expect(commandsIn(rig)).toEqual([
        { ...envelope(), kind: "suspend", accountSid, reason: REASON, acknowledge: [] },
      ]);
    },
  );

  it.each(["reactivated", "dismissed", undefined] as const)(
    "suspend: opens an incident where none is open (%s), and names it beforehand",
    async (state) => {
      const accountSid = state === undefined ? newAccount() : (await incidentIn(rig, { state })).accountSid;
      const { status, body } = await post(rig, `/api/subaccounts/${accountSid}/suspend`, { body: { reason: REASON } });
      const [command] = commandsIn(rig);
      if (command === undefined) throw new Error("nothing was handed over");
      expect({ status, id: body.incidentId }).toEqual({ status: 202, id: incidentIdFor(command) });
    },
  );

  it.each([0, 60_000, 10 * 60_000])("suspend: on its way back too, %i ms after that was asked for", async (since) => {
    const { id, accountSid } = await incidentIn(rig, { state: "reactivating", asked: new Date(NOW.getTime() - since) });
    const answer = await post(rig, `/api/subaccounts/${accountSid}/suspend`, { body: { reason: REASON } });
    expect({ status: answer.status, id: answer.body.incidentId }).toEqual({ status: 202, id });
    expect(commandsIn(rig)).toMatchObject([{ kind: "suspend", accountSid }]);
  });

  it("suspend: finds the open incident among later ones that are over", async () => {
    const { id, accountSid } = await incidentIn(rig, { state: "alerted", at: new Date(NOW.getTime() - 9e6) });
    await incidentIn(rig, { state: "reactivated", accountSid });
    const answer = await post(rig, `/api/subaccounts/${accountSid}/suspend`, { body: { reason: REASON } });
    expect(answer.body.incidentId).toBe(id);
  });

  it("release-brake: all that wait, or some; in the parent's order", async () => {
    const [one, other] = [newAccount(), newAccount()];
    await holdAtBrake(one, other);
    const answer = await post(rig, "/api/brake/release", { body: { reason: REASON } });
    await post(rig, "/api/brake/release", { body: { reason: REASON, accounts: [other] } });
    expect(answer).toMatchObject({ status: 202, body: { incidentId: null, incident: null } });
    expect(answer.headers.get("location")).toBe(`${PUBLIC_URL}/api/brake`);
    const released = { ...envelope(), kind: "release-brake", accountSid: PARENT, reason: REASON };
    expect(commandsIn(rig)).toEqual([
      { ...released, accounts: null },
      { ...released, accounts: [other] },
    ]);
  });

  it("release-brake: an empty list names nobody, null everybody", async () => {
    const waiting = newAccount();
    await holdAtBrake(waiting);
    for (const accounts of [[], null]) await post(rig, "/api/brake/release", { body: { reason: REASON, accounts } });
    expect(commandsIn(rig)).toMatchObject([{ accounts: [] }, { accounts: null }]);
  });

  it("is logged with who asked for what, on which road, and without the reason", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    await post(rig, `/api/incidents/${id}/dismiss`, {
      body: { reason: REASON },
      headers: { "Tollbreaker-Road": "cli" },
    });
    expect(commandsIn(rig)).toMatchObject([{ road: "cli" }]);
    const lines = rig.logged();
    expect(lines).toContainEqual(
      expect.objectContaining({
        event: "command-accepted",
        operator: "olga",
        road: "cli",
        kind: "dismiss",
        incident: id,
      }),
    );
    expect(JSON.stringify(lines)).not.toContain(REASON);
  });

  it("keeps a reason on one line, without what a terminal would obey", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const reason = "  false alarm:\n\tload \u200btest \u001b[2J of \u0000 \u202eAcme  ";
    await post(rig, `/api/incidents/${id}/dismiss`, { body: { reason } });
    expect(commandsIn(rig)).toMatchObject([{ reason: "false alarm: load test [2J of Acme" }]);
  });
});

describe("the same request again", () => {
  const key = { "Idempotency-Key": "3f9c6f3e retry" };

  it("is the same command, stored once", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const sent = { body: { reason: REASON }, headers: key };
    const [first, second] = [
      await post(rig, `/api/incidents/${id}/dismiss`, sent),
      await post(rig, `/api/incidents/${id}/dismiss`, sent),
    ];
    expect(first.body.command).toMatch(/^key-[0-9a-f]{40}$/);
    expect([second.status, second.body]).toEqual([202, first.body]);
    expect(commandsIn(rig)).toHaveLength(1);
  });

  it("is accepted after it was carried out too, and sends nothing more", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const sent = { body: ANSWERED, headers: key };
    const first = await post(rig, `/api/incidents/${incident.id}/reactivate`, sent);
    await carryOut(incident.id);
    const second = await post(rig, `/api/incidents/${incident.id}/reactivate`, sent);
    expect([second.status, second.body]).toEqual([202, first.body]);
    expect(rig.inbox()).toEqual([]);
  });

  it("is another command by another key, for another incident, or of another kind", async () => {
    const [one, other] = [await incidentIn(rig, { state: "alerted" }), await incidentIn(rig, { state: "alerted" })];
    const body = { reason: REASON };
    await post(rig, `/api/incidents/${one.id}/dismiss`, { body, headers: key });
    await post(rig, `/api/incidents/${one.id}/dismiss`, { body, headers: { "Idempotency-Key": "another" } });
    await post(rig, `/api/incidents/${other.id}/dismiss`, { body, headers: key });
    await post(rig, `/api/subaccounts/${one.accountSid}/suspend`, { body, headers: key });
    expect(new Set(commandsIn(rig).map(({ id }) => id)).size).toBe(4);
  });

  it("of the brake is accepted after it was carried out too, when nothing is held any more", async () => {
    const waiting = newAccount();
    await holdAtBrake(waiting);
    const sent = { body: { reason: REASON }, headers: key };
    const first = await post(rig, "/api/brake/release", sent);
    await rig.brake.update((state) => release(state, first.body.command));
    await rig.brake.waiting.end(waiting, NOW);
    rig.emptyInbox();
    const second = await post(rig, "/api/brake/release", sent);
    expect([second.status, second.body]).toEqual([202, first.body]);
    expect(rig.inbox()).toEqual([]);
    expect(await post(rig, "/api/brake/release", { ...sent, headers: {} })).toMatchObject({ status: 409 });
  });

  it.each<[string, object]>([
    ["another reason", { ...ANSWERED, reason: "it was our own load test" }],
    ["another answer", { ...ANSWERED, acknowledge: [], cleanup: ["auth-token", "api-keys"] }],
    ["another country", { ...ANSWERED, cleanup: ["api-keys", "voice-countries"], countries: ["US"] }],
  ])("with %s is another command", async (_, body) => {
    const { id } = await incidentIn(rig, { state: "suspended" });
    for (const asked of [ANSWERED, body])
      expect(await post(rig, `/api/incidents/${id}/reactivate`, { body: asked, headers: key })).toMatchObject({
        status: 202,
      });
    expect(new Set(commandsIn(rig).map(({ id: command }) => command)).size).toBe(2);
  });

  it("in other words for the same is the same command", async () => {
    const { id } = await incidentIn(rig, { state: "suspended" });
    const cleanup = ["api-keys", "unroute-numbers"];
    const bodies = [
      { ...ANSWERED, cleanup },
      {
        ...SHOWN,
        cleanup: [...cleanup.toReversed(), "api-keys"],
        acknowledge: ["auth-token"],
        reason: `  ${REASON}\n`,
      },
    ];
    for (const body of bodies) await post(rig, `/api/incidents/${id}/reactivate`, { body, headers: key });
    expect(commandsIn(rig)).toHaveLength(1);
  });

  it("without a key is a request of its own", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    await post(rig, `/api/incidents/${id}/dismiss`, { body: { reason: REASON } });
    await post(rig, `/api/incidents/${id}/dismiss`, { body: { reason: REASON } });
    expect(commandsIn(rig)).toHaveLength(2);
  });

  async function carryOut(incidentId: string) {
    const [command] = commandsIn(rig);
    const found = await rig.store.load(incidentId);
    if (command?.kind !== "reactivate" || found === undefined) throw new Error("no reactivation was handed over");
    await rig.store.save(reactivationAsked(found, command, NOW));
    rig.emptyInbox();
  }
});

describe("a state in which it can't be asked for: 409", () => {
  it.each([
    ["reactivate", "open", /dealt with/],
    ["reactivate", "alerted", /only alerted/],
    ["reactivate", "failed", /could not be suspended/],
    ["reactivate", "reactivating", /under way since 2026-11-21T03:03:05.123Z, asked for by alice/],
    ["reactivate", "reactivated", /reactivated at 2026-11-21T03:03:05.123Z/],
    ["reactivate", "dismissed", /dismissed by olga/],
    ["dismiss", "open", /dealt with/],
    ["dismiss", "suspended", /suspended/],
    ["dismiss", "reactivating", /under way/],
    ["dismiss", "reactivated", /over/],
    ["dismiss", "dismissed", /over/],
    ["check", "open", /dealt with/],
    ["check", "alerted", /only alerted/],
    ["check", "reactivating", /under way/],
    ["check", "reactivated", /over/],
    ["restore-numbers", "alerted", /only alerted/],
    ["restore-numbers", "reactivating", /under way/],
  ] as const)("%s, %s", async (command, state, detail) => {
    const { id } = await incidentIn(rig, { state });
    const body = command === "check" ? {} : { reason: REASON };
    const answer = await refused(`/api/incidents/${id}/${command}`, { body });
    expect(answer).toMatchObject({ status: 409, body: { code: "state-conflict", state, got: state } });
    expect(answer.body.detail).toMatch(detail);
    for (const member of ["expected", "fix"]) expect(answer.body[member]).toEqual(expect.any(String));
  });

  it("suspend, the parent account", async () => {
    const answer = await refused(`/api/subaccounts/${PARENT}/suspend`, { body: { reason: REASON } });
    expect(answer).toMatchObject({ status: 409, body: { code: "parent-account" } });
  });

  it("reactivate, a closed account, or one that Twilio holds", async () => {
    const closed = await incidentIn(rig, { state: "suspended", by: "closed", checklist: null });
    const why = "Twilio itself suspended this account";
    const items = CHECKLIST.map((check) =>
      check.id === "suspended-by" ? { ...check, answer: "not-done" as const, why } : check,
    );
    const held = await incidentIn(rig, { state: "suspended", checklist: items });
    const body = { ...ANSWERED, acknowledge: ["suspended-by", "auth-token"] };
    expect(await refused(`/api/incidents/${closed.id}/reactivate`, { body })).toMatchObject({
      ...{ status: 409, body: { code: "account-closed", state: "suspended", fix: expect.stringContaining("dismiss") } },
    });
    expect(await refused(`/api/incidents/${held.id}/reactivate`, { body })).toMatchObject({
      ...{ status: 409, body: { code: "suspension-not-ours", state: "suspended", detail: `${why}.` } },
    });
  });

  it("release-brake, when it holds nothing", async () => {
    const answer = await refused("/api/brake/release", { body: { reason: REASON } });
    expect(answer).toMatchObject({ status: 409, body: { code: "state-conflict", state: "free" } });
  });
});

describe("what is not there: 404", () => {
  it.each([NO_ID, "latest", "..%2F..%2Fetc", "%E0%A4%A", "x".repeat(5_000)])("incident %s", async (id) => {
    for (const command of ["reactivate", "dismiss", "check", "restore-numbers"]) {
      const answer = await refused(`/api/incidents/${id}/${command}`, { body: {} });
      expect(answer).toMatchObject({ status: 404, body: { code: "incident-not-found" } });
    }
  });

  it.each(["AC123", `AC${"g".repeat(32)}`, `${EXEMPT}0`, "*"])("account %s", async (sid) => {
    const answer = await refused(`/api/subaccounts/${sid}/suspend`, { body: { reason: REASON } });
    expect(answer).toMatchObject({ status: 404, body: { code: "account-not-found" } });
  });
});

describe("what is missing: 422", () => {
  it.each([
    ["nothing", undefined],
    ["too short", "too short"],
    ["only spaces", " ".repeat(50)],
    ["spaces around little", `   ab${" ".repeat(40)}c   `],
    ["a key held down", "a".repeat(50)],
    ["a key held down, in words", "aaaa aaaa aaaa aaaa"],
    ["two keys in turn", "asasasasasasas"],
    ["points", "....-....-....-"],
    ["control characters", `${"\u0007".repeat(20)}abcd`],
  ])("a reason of %s", async (_what, reason) => {
    const [alertedOne, account] = [await incidentIn(rig, { state: "alerted" }), newAccount()];
    await holdAtBrake(newAccount());
    const paths = [
      `/api/incidents/${alertedOne.id}/dismiss`,
      `/api/subaccounts/${account}/suspend`,
      "/api/brake/release",
    ];
    for (const path of paths) {
      const answer = await refused(path, { body: reason === undefined ? {} : { reason } });
      expect(answer).toMatchObject({
        status: 422,
        body: { code: "reason-too-short", expected: expect.stringContaining("10 to 500") },
      });
    }
  });

  it("a reason beyond 500 characters; 10 and 500 are fine, whatever script", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const path = `/api/incidents/${id}/dismiss`;
    const long = await refused(path, { body: { reason: "word ".repeat(100).padEnd(501, "x") } });
    expect(long).toMatchObject({ status: 422, body: { code: "reason-too-long", got: "501 characters" } });
    for (const reason of [
      "word ".repeat(100).padEnd(500, "x"),
      "fixed it 1",
      "鍵が漏れたので取り消しました",
      "  exactly 10  ",
    ])
      expect((await post(rig, path, { body: { reason } })).status).toBe(202);
  });

  it("answers to the check-list: what was neither acknowledged nor asked to be cleaned up", async () => {
    const { id } = await incidentIn(rig, { state: "suspended" });
    const path = `/api/incidents/${id}/reactivate`;
    const missing = CHECKLIST.filter(({ answer }) => answer !== "done");
    const none = await refused(path, { body: { reason: REASON } });
    expect(none).toMatchObject({ status: 422, body: { code: "checklist-incomplete", missing } });
    const one = await refused(path, {
      body: { ...SHOWN, reason: REASON, cleanup: ["api-keys"], acknowledge: ["triggers"] },
    });
    expect(one.body).toMatchObject({ missing: [missing[1]], got: expect.stringContaining("auth-token") });
    expect(one.body.got).not.toContain("api-keys");
  });

  it("a check-list that was read", async () => {
    const { id } = await incidentIn(rig, { state: "suspended", checklist: null });
    const answer = await refused(`/api/incidents/${id}/reactivate`, { body: ANSWERED });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: "checklist-unread", fix: expect.stringContaining("/check") },
    });
  });

  it.each([
    ["none, though they are asked for", ["voice-countries"], []],
    ["some, though they are not asked for", [], ["US"]],
    ["lower case", ["voice-countries"], ["us"]],
    ["one that there is not", ["voice-countries"], ["US", "QQ"]],
    ["a name that ISO does not have", ["voice-countries"], ["UK"]],
    ["a union of countries", ["voice-countries"], ["EU"]],
    ["a numeric area code", ["voice-countries"], ["001"]],
  ])("countries: %s", async (_what, cleanup, countries) => {
    const { id } = await incidentIn(rig, { state: "suspended" });
    const body = { ...SHOWN, reason: REASON, acknowledge: ["auth-token", "api-keys"], cleanup, countries };
    const answer = await refused(`/api/incidents/${id}/reactivate`, { body });
    expect(answer).toMatchObject({ status: 422, body: { code: "countries-invalid" } });
  });

  it("names all of it at once", async () => {
    const { id } = await incidentIn(rig, { state: "suspended" });
    const { body } = await refused(`/api/incidents/${id}/reactivate`, { body: { reason: "short", countries: ["DE"] } });
    expect(body.errors.map(({ code }: { code: string }) => code)).toEqual([
      ...["reason-too-short", "countries-invalid", "checklist-incomplete"],
    ]);
    expect(body.missing).toHaveLength(2);
    expect(body.detail).toMatch(/reason .*countries .*check-list/);
  });

  it.each([
    ["an exempt account", EXEMPT, "enforce", ["exempt"]],
    ["any account in observe mode", newAccount(), "observe", ["observe-mode"]],
    ["an exempt account in observe mode", EXEMPT, "observe", ["exempt", "observe-mode"]],
  ] as const)("suspend %s: until it is acknowledged", async (_what, accountSid, mode, needed) => {
    const parts = { policy: { ...ENFORCE, mode } };
    const path = `/api/subaccounts/${accountSid}/suspend`;
    for (const acknowledge of [[], needed.slice(1), needed.length === 1 ? [] : needed.slice(0, 1)]) {
      const answer = await refused(path, { parts, body: { reason: REASON, acknowledge } });
      const missing = needed.filter((id) => !acknowledge.includes(id)).map((id) => ({ id, why: expect.any(String) }));
      expect(answer).toMatchObject({ status: 422, body: { code: "acknowledgement-missing", missing } });
    }
    expect(await post(rig, path, { parts, body: { reason: REASON, acknowledge: needed } })).toMatchObject({
      status: 202,
    });
    expect(commandsIn(rig)).toMatchObject([{ acknowledge: needed }]);
  });

  it("release-brake: an account that does not wait", async () => {
    const [waiting, other] = [newAccount(), newAccount()];
    await holdAtBrake(waiting);
    const answer = await refused("/api/brake/release", { body: { reason: REASON, accounts: [waiting, other] } });
    expect(answer).toMatchObject({ status: 422, body: { code: "account-not-waiting", got: `"${other}"` } });
  });
});

describe("a body that can't be used", () => {
  const dismissal = `/api/incidents/${NO_ID}/dismiss`;
  const reactivation = `/api/incidents/${NO_ID}/reactivate`;

  it.each([
    ["no JSON", dismissal, "reason=x", { detail: "The body is no JSON." }],
    ["half of it", dismissal, '{"reason": "abc', {}],
    ["bytes that are no text", dismissal, new Uint8Array([0x22, 0xff, 0x22]), { got: "bytes that are not UTF-8" }],
    ["a list", dismissal, [], { got: "a list" }],
    ["null", dismissal, "null", { got: "null" }],
    ["a text", dismissal, '"reason"', { got: '"reason"' }],
    ["a misspelt member", dismissal, { raeson: REASON }, { got: '"raeson"', fix: 'did you mean "reason"?' }],
    ["a member too many", dismissal, { reason: REASON, acknowledge: [] }, { got: '"acknowledge"' }],
    ["a hostile member", dismissal, `{"reason": "${REASON}", "__proto__": {"reason": 1}}`, { got: '"__proto__"' }],
    ["another hostile member", dismissal, { reason: REASON, constructor: {} }, { got: '"constructor"' }],
    [
      "a reason that is no text",
      dismissal,
      { reason: 42 },
      { detail: '"reason" cannot be used.', got: "42", fix: 'correct "reason": it is needed' },
    ],
    [
      "an item that is none",
      reactivation,
      { acknowledge: ["api-key"] },
      { got: '"api-key"', fix: 'did you mean "api-keys"?' },
    ],
    ["one item without its list", reactivation, { cleanup: "api-keys" }, { got: '"api-keys"' }],
    [
      "a clean-up in place of a check",
      reactivation,
      { acknowledge: ["unroute-numbers"] },
      { detail: '"acknowledge.0" cannot be used.' },
    ],
    ["a country that is no text", reactivation, { countries: [1] }, { got: "1" }],
    ["a body for a check", `/api/incidents/${NO_ID}/check`, { reason: REASON }, { expected: "an empty object" }],
    ["an unknown objection", `/api/subaccounts/${EXEMPT}/suspend`, { acknowledge: ["observe"] }, { got: '"observe"' }],
    ["an account that is none", "/api/brake/release", { accounts: ["AC1"] }, { got: '"AC1"' }],
  ])("%s: 400", async (_what, path, body, problem) => {
    const answer = await refused(path, { body });
    expect(answer).toMatchObject({ status: 400, body: { code: "body-invalid", ...problem } });
    for (const member of ["expected", "got", "fix"]) expect(answer.body[member]).toEqual(expect.any(String));
  });

  it("names several mistakes at once, and not a thousand", async () => {
    const three = { raeson: REASON, acknowledge: ["x"], cleanup: 7 };
    const { body } = await refused(reactivation, { body: three });
    expect(body.errors).toHaveLength(3);
    for (const word of ["raeson", "acknowledge.0", "cleanup"]) expect(body.detail).toContain(word);
    const many = await refused(reactivation, { body: { acknowledge: Array(1_000).fill("x") } });
    expect(many.body.errors).toHaveLength(10);
    expect(many.body.detail).toContain("And 990 more.");
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "multipart/form-data; boundary=x",
    "",
  ])("as %s: 415", async (type) => {
    const answer = await refused(dismissal, { body: { reason: REASON }, headers: { "Content-Type": type } });
    expect(answer).toMatchObject({ status: 415, body: { code: "content-type-unsupported" } });
  });

  it("takes parameters of the content type", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const headers = { "Content-Type": "Application/JSON; charset=utf-8" };
    expect(await post(rig, `/api/incidents/${id}/dismiss`, { body: { reason: REASON }, headers })).toMatchObject({
      status: 202,
    });
  });

  it("over 16 KB: 413, with or without a length that says so", async () => {
    const body = JSON.stringify({ reason: "x".repeat(16 * 1024) });
    for (const headers of [{}, { "Content-Length": String(body.length) }]) {
      const answer = await refused(dismissal, { body, headers });
      expect(answer).toMatchObject({ status: 413, body: { code: "body-too-large" } });
    }
    const fits = await refused(dismissal, { body: " ".repeat(16 * 1024 - 2).concat("{}") });
    expect(fits.status).toBe(404);
  });

  it.each([
    ["Tollbreaker-Road", "slack", "road-invalid"],
    ["Tollbreaker-Road", "", "road-invalid"],
    ["Idempotency-Key", "", "idempotency-key-invalid"],
    ["Idempotency-Key", "x".repeat(65), "idempotency-key-invalid"],
    ["Idempotency-Key", "caf\u00e9", "idempotency-key-invalid"],
  ])("the header %s: %j: 400", async (name, value, code) => {
    const answer = await refused(dismissal, { body: { reason: REASON }, headers: { [name]: value } });
    expect(answer).toMatchObject({ status: 400, body: { code } });
  });
});

describe("who may", () => {
  const paths = COMMAND_PATHS.map((path) => path.replace(":id", NO_ID).replace(":sid", EXEMPT));

  it.each(paths)("a viewer may not: 403 at %s, whatever the body, and it is logged", async (path) => {
    for (const body of [{ reason: REASON }, "no json", undefined]) {
      const answer = await refused(path, { as: "viewer", body });
      expect(answer).toMatchObject({ status: 403, body: { code: "role-too-low", got: "viewer" } });
    }
    expect(rig.logged()).toContainEqual(
      expect.objectContaining({ event: "operator-refused", operator: "victor", code: "role-too-low", path }),
    );
  });

  it.each(paths.map((path, nth) => [path, nth] as const))(
    "nobody without a token may: 401 at %s",
    async (path, nth) => {
      // Guesses are counted: each comes in an hour of its own.
      rig.clock.set(new Date(NOW.getTime() + nth * 60 * 60_000));
      const answer = await refused(path, { body: { reason: REASON }, headers: { Authorization: "Bearer wrong" } });
      expect(answer).toMatchObject({ status: 401, body: { code: "token-unknown" } });
    },
  );

  it.each(paths)("%s takes POST alone", async (path) => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const response = await operatorApi(rig.parts).request(path, {
        method,
        headers: { Authorization: "Bearer token-of-olga" },
      });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });
});

describe("each refusal is logged", () => {
  it("with who, what and why, and without the reason or what was sent", async () => {
    const { id } = await incidentIn(rig, { state: "suspended" });
    await refused(`/api/incidents/${id}/dismiss`, {
      body: { reason: REASON },
      headers: { "Tollbreaker-Road": "console" },
    });
    await refused(`/api/incidents/${id}/dismiss`, { body: { secret: "s3cret" } });
    const lines = rig.logged().filter(({ event }) => event === "command-refused");
    expect(lines).toMatchObject([
      { level: "WARN", operator: "olga", road: "console", kind: "dismiss", incident: id, code: "state-conflict" },
      { level: "WARN", operator: "olga", road: "api", path: `/api/incidents/${id}/dismiss`, code: "body-invalid" },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/s3cret|leaked/);
  });
});

describe("when something does not answer: 503", () => {
  it("the inbox: nothing is promised, and the reason is in the log alone", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    rig.sqs.fail({ on: "SendMessage", do: "answer", status: 500 });
    const answer = await refused(`/api/incidents/${id}/dismiss`, { body: { reason: REASON } });
    rig.sqs.clear();
    expect(answer).toMatchObject({ status: 503, body: { code: "command-not-stored" } });
    expect(answer.text).not.toMatch(/sqs|queue|inbox|127\.0/i);
    expect(rig.logged()).toContainEqual(expect.objectContaining({ event: "command-not-stored", kind: "dismiss" }));
  });

  it("the record", async () => {
    const parts = { incidents: dynamoIncidentReader("no-such-table") };
    for (const path of [`/api/incidents/${NO_ID}/check`, `/api/subaccounts/${newAccount()}/suspend`]) {
      const answer = await refused(path, { parts, body: {} });
      expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } });
      expect(answer.text).not.toMatch(/table|dynamo|resource/i);
    }
  });

  it("the brake", async () => {
    const brake = dynamoBrakeReader("no-such-table");
    const parts = { brake };
    expect(await refused("/api/brake/release", { parts, body: { reason: REASON } })).toMatchObject({ status: 503 });
  });
});

async function holdAtBrake(...accounts: string[]) {
  const at = NOW.toISOString();
  for (const accountSid of accounts)
    await rig.brake.waiting.add({ accountSid, incidentId: NO_ID, since: at, heldBy: at });
}
