import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { IncidentRecord } from "../../../lib/incidents/change.ts";
import type { Check, Checklist } from "../../../lib/incidents/checklist.ts";
import { cleaned, reactivated, reactivationAsked } from "../../../lib/incidents/coming-back.ts";
import { judgeActive, judgeSuspendedBy } from "../../../lib/response/judge-checks.ts";
import { reactivate } from "../../support/commands.ts";
import { type CommandRig, commandRig, commandsIn, NOW, newAccount, post } from "./command-rig.ts";
import { ASKED, CHECKLIST, incidentIn } from "./incidents-in-states.ts";

// What the record tells already need not wait for the responder.

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
beforeEach(() => rig.clock.set(NOW));
afterEach(() => rig.emptyInbox());

const body = { reason: "the leaked key was found and revoked" };

function listWith(suspendedBy: Check): Check[] {
  return CHECKLIST.map((item) => (item.id === "suspended-by" ? suspendedBy : item));
}

async function asked(command: "dismiss" | "reactivate" | "restore-numbers", id: string) {
  const answer = await post(rig, `/api/incidents/${id}/${command}`, { body });
  expect(commandsIn(rig)).toHaveLength(answer.status === 202 ? 1 : 0);
  return answer;
}

describe("an account whose check-list says", () => {
  const held = (check: Check, account: Checklist["account"]) =>
    incidentIn(rig, { state: "suspended", checklist: listWith(check), account });

  it.each(["dismiss", "reactivate"] as const)("that Twilio holds it: %s sends to Twilio's support", async (command) => {
    const { id } = await held(judgeSuspendedBy("suspended-by-twilio"), "suspended");
    const { status, body: problem } = await asked(command, id);
    expect([status, problem.code, problem.state]).toEqual([409, "suspension-not-ours", "suspended"]);
    expect(problem.detail).toMatch(/^Twilio itself suspended this account/);
    expect(problem.fix).toMatch(
      /only Twilio's support can lift it: send them the report \(tollbreaker incidents report/,
    );
    expect(problem.fix).not.toMatch(/reactivate/);
  });

  it("nothing yet, and Twilio held it when it was contained: dismiss does so too", async () => {
    const { id } = await incidentIn(rig, { state: "suspended", by: "suspended-by-twilio", checklist: null });
    const { status, body: problem } = await asked("dismiss", id);
    expect([status, problem.code]).toEqual([409, "suspension-not-ours"]);
    expect(problem.fix).not.toMatch(/reactivate/);
  });

  it.each(["dismiss", "reactivate"] as const)("that it is active: %s asks to suspend it", async (command) => {
    const { id } = await held(judgeActive("AC"), "active");
    expect(await asked(command, id)).toMatchObject({
      status: 409,
      body: { code: "account-active", fix: "suspend it (POST /api/subaccounts/{sid}/suspend)" },
    });
  });

  it("that it is closed: it is dismissed, and does not come back", async () => {
    const { id } = await held(judgeSuspendedBy("closed"), "closed");
    expect(await asked("reactivate", id)).toMatchObject({ status: 409, body: { code: "account-closed" } });
    expect((await asked("dismiss", id)).status).toBe(202);
  });
});

describe("restore-numbers", () => {
  /** An incident whose reactivation was asked for this, and, unless null, unrouted so many. */
  async function unrouted(count: number | null, accountSid = newAccount()): Promise<IncidentRecord> {
    const incident = await incidentIn(rig, { state: "suspended", accountSid });
    const record = await rig.store.load(incident.id);
    if (record === undefined) throw new Error("no incident");
    const command = reactivate(incident, { cleanup: ["unroute-numbers"] });
    const begun = await rig.store.save(reactivationAsked(record, command, ASKED));
    if (count === null) return begun;
    const what = { id: "unroute-numbers" as const, what: "numbers-unrouted", why: "", detail: { count } };
    return rig.store.save(reactivated(await rig.store.save(cleaned(begun, what, ASKED)), ASKED));
  }

  it.each(["suspended", "reactivated"] as const)(
    "of one that was never asked to unroute, %s: nothing",
    async (state) => {
      const { id } = await incidentIn(rig, { state });
      expect(await asked("restore-numbers", id)).toMatchObject({
        status: 409,
        body: { code: "nothing-unrouted", state },
      });
    },
  );

  it("of one that found no number to unroute: nothing", async () => {
    const { incident } = await unrouted(0);
    expect(await asked("restore-numbers", incident.id)).toMatchObject({ body: { code: "nothing-unrouted" } });
  });

  it("of one that unrouted some is handed over", async () => {
    const { incident } = await unrouted(2);
    expect((await asked("restore-numbers", incident.id)).status).toBe(202);
  });

  it("is handed over where an earlier incident may have been cut while it unrouted", async () => {
    const { incident } = await unrouted(null);
    const later = await incidentIn(rig, { state: "suspended", accountSid: incident.accountSid, at: ASKED });
    expect((await asked("restore-numbers", later.id)).status).toBe(202);
  });

  it("is not where the earlier one found none", async () => {
    const { incident } = await unrouted(0);
    const later = await incidentIn(rig, { state: "suspended", accountSid: incident.accountSid, at: ASKED });
    expect(await asked("restore-numbers", later.id)).toMatchObject({ body: { code: "nothing-unrouted" } });
  });
});
