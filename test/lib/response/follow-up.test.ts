import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FollowUp, readFollowUp } from "../../../lib/inbox/follow-up.ts";
import type { Incident } from "../../../lib/incidents/incident.ts";
import { followUpReceiver } from "../../../lib/response/follow-up.ts";
import type { Responder } from "../../../lib/response/responder.ts";
import { policyOf } from "../../support/policies.ts";
import { type Rig, startRig } from "../../support/responder-rig.ts";
import { firing } from "../../support/signals.ts";
import { recordWith } from "../../support/sqs-record.ts";

let rig: Rig;
let account: string;
let put: { followUp: FollowUp; seconds: number | undefined }[];
let postponed: number[];

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
  put = [];
  postponed = [];
});

const NOBODY_PASSES = policyOf("brake: { suspensions: 1, within: 10m }");

/** To whom the brake's alerts say that this is to be done. */
function told(announcement: () => ReturnType<Responder["brake"]["announce"]>): Responder {
  const keeper = rig.brakeOf(NOBODY_PASSES.brake);
  return rig.responder({
    policy: NOBODY_PASSES,
    brake: { ...keeper, announce: announcement },
    followUps: { put: async (followUp, seconds) => void put.push({ followUp, seconds }), giveUp: async () => {} },
    postpone: async (left) => void postponed.push(...left.map(({ seconds }) => seconds)),
  });
}

/** An incident whose alert of the brake is due. */
async function held(): Promise<{ incident: Incident; followUp: FollowUp }> {
  const full = rig.simulator.addSubaccount().accountSid;
  await rig.deliver(firing(full), { policy: NOBODY_PASSES });
  rig.sns.fail({ do: "cut" });
  await rig.deliver(firing(account), { policy: NOBODY_PASSES });
  rig.mend();
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  const { incident } = recorded;
  expect(incident).toMatchObject({ state: "alerted", because: "brake", alerts: [{ publishedAt: null }] });
  return {
    incident,
    followUp: { kind: "incident", accountSid: account, incidentId: incident.id, callsDue: false },
  };
}

function receive(responder: Responder, followUp: FollowUp) {
  const record = recordWith(JSON.stringify(followUp), { group: account, messageId: "one", attempt: 30 });
  return followUpReceiver(responder)({ Records: [record] }, { getRemainingTimeInMillis: () => 25_000 });
}

describe("an alert of the brake that another one comes before", () => {
  test("is looked at again after its time, by a message of its own: to wait uses up no deliveries", async () => {
    const { followUp } = await held();
    const responder = told(async () => ({ kind: "later", ms: 42_000 }));
    expect(await receive(responder, followUp)).toEqual({ batchItemFailures: [] });
    expect(put).toEqual([{ followUp, seconds: 42 }]);
    expect(put.map((one) => readFollowUp(JSON.stringify(one.followUp)))).toEqual([followUp]);
    expect(postponed).toEqual([]);
  });

  test("for which there was no time comes again at once, with all of it", async () => {
    const { followUp } = await held();
    await receive(
      told(async () => ({ kind: "later", ms: 0 })),
      followUp,
    );
    expect(put).toEqual([{ followUp, seconds: 1 }]);
  });

  test("that the queue does not take stays where it is", async () => {
    const { followUp } = await held();
    const responder = told(async () => ({ kind: "later", ms: 42_000 }));
    const broken = { ...responder.followUps, put: () => Promise.reject(new Error("no queue")) };
    expect(await receive({ ...responder, followUps: broken }, followUp)).toEqual({
      batchItemFailures: [{ itemIdentifier: "one" }],
    });
    expect(postponed).toHaveLength(1);
  });

  test("is struck off once another one names the account", async () => {
    const { followUp, incident } = await held();
    await receive(
      told(async () => ({ kind: "told-elsewhere" })),
      followUp,
    );
    expect(put).toEqual([]);
    expect((await rig.store.load(incident.id))?.incident.alerts).toMatchObject([{ publishedAt: expect.any(String) }]);
  });

  test("and a failure beside it is tried again as any other", async () => {
    const { followUp } = await held();
    const responder = told(async () => Promise.reject(new Error("no brake")));
    expect((await receive(responder, followUp)).batchItemFailures).toHaveLength(1);
    expect(put).toEqual([]);
    expect(postponed).toEqual([900]);
  });
});
