import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { reactivate } from "../../../support/commands.ts";
import type { SeenRequest } from "../../../support/fault-proxy.ts";
import { policyOf } from "../../../support/policies.ts";
import { type Rig, startRig } from "../../../support/responder-rig.ts";
import { firing } from "../../../support/signals.ts";

// An account that overspends while it comes back does not come back, whatever became of its guard's message.

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

const POLICY = policyOf(`
limits:
  spend: { category: totalprice, by: price, every: day, at: 100, then: suspend }
brake: { suspensions: 1000, within: 10m }
probation: { share: 0.5, for: 24h }
`);
const setsActive = ({ method, body }: SeenRequest) => method === "POST" && body.includes("Status=active");

async function incident() {
  const [found] = await rig.incidentsOf(account);
  if (found === undefined) throw new Error("there is no incident");
  return found.incident;
}

/** Something happens in the moment after Twilio set it active. */
async function comeBack(meanwhile: () => Promise<unknown>) {
  rig.simulator.addUsage(account, { category: "totalprice", price: 120 });
  await rig.deliver(firing(account), { policy: POLICY });
  rig.twilio.fail({ on: setsActive, when: "after", times: 1, do: "call", hook: meanwhile });
  return rig.deliver(reactivate(await incident()), { policy: POLICY });
}

test.each([
  ["its guard fires, and nobody hears of it", () => rig.simulator.evaluateTriggers()],
  ["it passes its guard's value, and Twilio has not fired yet", async () => {}],
])("%s: it is suspended again, and people know why", async (_, evaluate) => {
  const outcome = await comeBack(async () => {
    rig.simulator.addUsage(account, { category: "totalprice", price: 60 });
    await evaluate();
  });
  expect(outcome).toEqual({ kind: "done" });
  expect(rig.simulator.account(account).status).toBe("suspended");
  const { state, reactivation } = await incident();
  expect(state).toBe("suspended");
  expect(reactivation?.failure).toContain("spent too much while it came back");
  expect((await rig.alertsOf(account)).at(-1)?.about).toBe("not-reactivated");
});

test("it spends less than its guard allows: it comes back", async () => {
  await comeBack(async () => rig.simulator.addUsage(account, { category: "totalprice", price: 40 }));
  expect(rig.simulator.account(account).status).toBe("active");
  expect((await incident()).state).toBe("reactivated");
});

test("nobody can read whether its guard fired: it is suspended again", async () => {
  const outcome = await comeBack(async () => {
    const lists = ({ method, path }: SeenRequest) => method === "GET" && path.includes("/Usage/Triggers");
    rig.twilio.fail({ on: lists, do: "cut" });
  });
  expect(outcome).toEqual({ kind: "done" });
  expect(rig.simulator.account(account).status).toBe("suspended");
});
