import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CHECK_ANSWERS, type Check, digestOf } from "../../../lib/incidents/checklist.ts";
import { checklistRead } from "../../../lib/incidents/coming-back.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import fc from "../../support/fast-check.ts";
import { type CommandRig, commandRig, commandsIn, get, NOW, post } from "./command-rig.ts";
import { CHECKLIST, incidentIn } from "./incidents-in-states.ts";

const REASON = "the leaked key was found and revoked";
const THIEF = "2 from before the incident, 2 made during it";
const WITH_THIEF = CHECKLIST.map((check) => (check.id === "api-keys" ? { ...check, why: THIEF } : check));
const ANSWERS = { reason: REASON, acknowledge: ["api-keys", "auth-token"] };

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
afterEach(() => rig.emptyInbox());

/** As the responder writes down what it read. */
async function readAnew({ id }: Incident, items: readonly Check[], readAt = NOW.toISOString()): Promise<void> {
  const found = await rig.store.load(id);
  if (found === undefined) throw new Error("there is no such incident");
  await rig.store.save(checklistRead(found, { readAt, items }, null));
}

const shown = async ({ id }: Incident) => (await get(rig, `/api/incidents/${id}`)).body.checklist;
const ask = ({ id }: Incident, body: object, headers: Record<string, string> = {}) =>
  post(rig, `/api/incidents/${id}/reactivate`, { body: { ...ANSWERS, ...body }, headers });

describe("what is acknowledged is the check-list that was shown", () => {
  it("whose digest the incident and the list of incidents have: accepted, and recorded", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const { digest } = await shown(incident);
    const listed = await get(rig, `/api/incidents?account=${incident.accountSid}`);
    expect(listed.body.incidents[0].checklist).toEqual(await shown(incident));
    expect(await ask(incident, { checklist: digest })).toMatchObject({ status: 202 });
    expect(commandsIn(rig)).toMatchObject([{ kind: "reactivate", acknowledge: ANSWERS.acknowledge, seen: CHECKLIST }]);
  });

  it("so one that names none is refused, with the list", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const answer = await ask(incident, {});
    expect(answer).toMatchObject({ status: 422, body: { code: "checklist-unnamed" } });
    expect(answer.body.checklist).toEqual(await shown(incident));
    expect(commandsIn(rig)).toEqual([]);
  });

  it("so one that answers another list than the one on record is refused, with the new one", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const { digest } = await shown(incident);
    await readAnew(incident, WITH_THIEF);
    const answer = await ask(incident, { checklist: digest });
    expect(answer).toMatchObject({ status: 409, body: { code: "checklist-changed", got: digest } });
    expect(answer.body.checklist).toEqual(await shown(incident));
    expect(answer.body.checklist.items).toEqual(WITH_THIEF);
    expect(commandsIn(rig)).toEqual([]);
    expect(await ask(incident, { checklist: answer.body.checklist.digest })).toMatchObject({ status: 202 });
    expect(commandsIn(rig)).toMatchObject([{ seen: WITH_THIEF }]);
  });

  it("and not when it was read: one that says the same is the same", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const { digest } = await shown(incident);
    await readAnew(incident, CHECKLIST, "2026-11-21T03:09:00.000Z");
    expect(await ask(incident, { checklist: digest })).toMatchObject({ status: 202 });
  });

  it("also where the list changed for what is to be cleaned up: another answer may be due", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const { digest } = await shown(incident);
    await readAnew(incident, WITH_THIEF);
    const answers = { acknowledge: ["auth-token"], cleanup: ["api-keys"] };
    expect(await ask(incident, { ...answers, checklist: digest })).toMatchObject({ status: 409 });
    expect((await ask(incident, answers)).body.errors).toBeUndefined();
  });

  it("which nobody needs to name who accepts nothing: nothing is recorded as seen", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const answers = { acknowledge: [], cleanup: ["api-keys", "auth-token"] };
    expect(await ask(incident, answers)).toMatchObject({ status: 202 });
    expect(commandsIn(rig)).toMatchObject([{ seen: [] }]);
  });

  it("under the same key another list is another request", async () => {
    const incident = await incidentIn(rig, { state: "suspended" });
    const key = { "Idempotency-Key": "form-1" };
    const first = await shown(incident);
    await readAnew(incident, WITH_THIEF);
    expect(await ask(incident, { checklist: first.digest }, key)).toMatchObject({ status: 409 });
    expect(await ask(incident, { checklist: (await shown(incident)).digest }, key)).toMatchObject({ status: 202 });
  });

  it.each(["", "latest", "0123456789ABCDEF", `${"0".repeat(17)}`, null, 7])("is no %j", async (checklist) => {
    const incident = await incidentIn(rig, { state: "suspended" });
    expect(await ask(incident, { checklist })).toMatchObject({ status: 400, body: { code: "body-invalid" } });
  });
});

describe("the digest", () => {
  const check = fc.record({
    id: fc.constantFrom("api-keys" as const, "live-calls" as const),
    answer: fc.constantFrom(...CHECK_ANSWERS),
    why: fc.string({ unit: "binary", maxLength: 4 }),
  });
  const items = fc.array(check, { maxLength: 3 });

  it("is the same for lists that say the same, and for no others", () => {
    fc.assert(
      fc.property(items, items, (one, other) => {
        expect(digestOf({ items: one }) === digestOf({ items: other })).toBe(
          JSON.stringify(one.map(said)) === JSON.stringify(other.map(said)),
        );
      }),
    );
  });

  const said = ({ id, answer, why }: Check) => [id, answer, why];
});
