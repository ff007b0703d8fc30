import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ReactivateCommand } from "../../../../lib/inbox/commands.ts";
import { reactivate } from "../../../support/commands.ts";
import type { SeenRequest } from "../../../support/fault-proxy.ts";
import { policyOf } from "../../../support/policies.ts";
import { type Recorded, type Rig, startRig } from "../../../support/responder-rig.ts";
import { firing } from "../../../support/signals.ts";

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
limits: { spend: { category: totalprice, by: price, every: day, at: 100, then: suspend } }
brake: { suspensions: 1000, within: 10m }
`);
const DONE = { kind: "done" };
const REFUSED = { status: 401, body: JSON.stringify({ code: 20003, message: "Authenticate", status: 401 }) };

const deliver: Rig["deliver"] = (message, changes) => rig.deliver(message, { policy: POLICY, ...changes });
const status = () => rig.simulator.account(account).status;
const isRequest = (wanted: "active" | "suspended") => (request: SeenRequest) =>
  request.method === "POST" && request.path.endsWith(`/${account}.json`) && request.body.includes(`Status=${wanted}`);
/** Which statuses Twilio was asked for, whether it carried them out or not. */
const asked = () => rig.twilio.requests().flatMap((request) => statusIn(request));

function statusIn({ method, path, body }: SeenRequest): string[] {
  if (method !== "POST" || !path.endsWith(`/${account}.json`)) return [];
  return [new URLSearchParams(body).get("Status") ?? ""];
}

async function story(): Promise<Recorded> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

async function contained(): Promise<ReactivateCommand> {
  await deliver(firing(account));
  return reactivate((await story()).incident);
}

const told = async () => (await rig.alertsOf(account)).map(({ about }) => about);

test("an activation that got no answer may come true late: it is suspended all the same, and read back", async () => {
  const command = await contained();
  rig.twilio.fail({ on: isRequest("active"), do: "answer", status: 504 });
  expect(await deliver(command, { milliseconds: 5000 })).toEqual(DONE);
  expect(asked().at(-1)).toBe("suspended");
  expect((await story()).incident).toMatchObject({ state: "suspended" });
});

test("one that comes true after the reading does not win", async () => {
  const command = await contained();
  rig.twilio.fail({ on: isRequest("active"), do: "answer", status: 504 });
  // Between the reading that says `suspended` and the request to suspend it.
  let isLate = false;
  const hook = () => {
    isLate = true;
    rig.simulator.setStatus(account, "active");
  };
  rig.twilio.fail({ on: isRequest("suspended"), nth: 2, times: 1, do: "call", hook });
  expect(await deliver(command, { milliseconds: 5000 })).toEqual(DONE);
  expect({ isLate, status: status() }).toEqual({ isLate: true, status: "suspended" });
});

test("Twilio does not take the suspension: it is not believed to be suspended, whatever the reading says", async () => {
  const command = await contained();
  rig.twilio.fail({ on: isRequest("active"), do: "answer", status: 504 });
  rig.twilio.fail({ on: isRequest("suspended"), nth: 2, do: "answer", status: 500 });
  expect(await deliver(command, { milliseconds: 5000 })).toMatchObject({ kind: "again" });
  expect((await story()).incident).toMatchObject({ state: "reactivating" });
  expect(await deliver(command, { milliseconds: 5000, attempt: 10 })).toEqual(DONE);
  expect((await story()).incident).toMatchObject({ state: "failed" });
  expect((await told()).at(-1)).toBe("failed");
});

test("credentials that are refused from the activation on: nothing was activated, so it is suspended, in words", async () => {
  const command = await contained();
  let isRevoked = false;
  const on = (request: SeenRequest) => {
    isRevoked ||= isRequest("active")(request);
    return isRevoked && request.path.includes(account);
  };
  rig.twilio.fail({ on, do: "answer", ...REFUSED });
  expect(await deliver(command)).toEqual(DONE);
  expect((await story()).incident).toMatchObject({
    state: "suspended",
    reason: expect.stringMatching(/our credentials are refused.*20003/),
  });
  expect((await told()).at(-1)).toBe("not-reactivated");
});

test("refused after a request that got no answer: it may be active, and that is not known", async () => {
  const command = await contained();
  let isRevoked = false;
  rig.twilio.fail({
    on: isRequest("active"),
    times: 1,
    when: "after",
    do: "call",
    hook: () => {
      isRevoked = true;
      throw new Error("cut");
    },
  });
  rig.twilio.fail({ on: ({ path }) => isRevoked && path.includes(account), do: "answer", ...REFUSED });
  expect(await deliver(command, { milliseconds: 5000 })).toMatchObject({
    kind: "again",
    why: expect.stringMatching(/had to be suspended again.*our credentials are refused/),
  });
  expect(status()).toBe("active");
  rig.mend();
  expect(await deliver(command, { attempt: 2 })).toEqual(DONE);
  expect(status()).toBe("suspended");
  expect((await story()).incident).toMatchObject({ state: "suspended" });
});
