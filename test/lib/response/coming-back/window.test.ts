import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ReactivateCommand } from "../../../../lib/inbox/commands.ts";
import { type Answer, send } from "../../../local/twilio/api.ts";
import { reactivate, restoreNumbers, suspend } from "../../../support/commands.ts";
import type { SeenRequest } from "../../../support/fault-proxy.ts";
import { type Recorded, type Rig, startRig } from "../../../support/responder-rig.ts";

// From `active` until its token is another one, whoever holds the old one can use it: what he did is undone, and that is
// proven once he is locked out.

let rig: Rig;
let account: string;
let stolen: string;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());
beforeEach(() => {
  account = rig.simulator.addSubaccount().accountSid;
  stolen = rig.simulator.account(account).authToken;
});
afterEach(() => rig.mend());

const DONE = { kind: "done" };
const EVIL = "https://evil.example/forward";
const OPEN = ["suspended-by", "api-keys", "auth-token", "triggers"] as const;
const setsActive = ({ body }: SeenRequest) => body.includes("Status=active");
const numbersPath = () => `/2010-04-01/Accounts/${account}/IncomingPhoneNumbers`;
const routings = () => rig.simulator.phoneNumbers(account).map(({ routing }) => routing);

async function story(): Promise<Recorded> {
  const [recorded] = await rig.incidentsOf(account);
  if (recorded === undefined) throw new Error("there is no incident");
  return recorded;
}

const attacker = (method: string, path: string, form?: Record<string, string>): Promise<Answer> =>
  send(rig.simulator, { accountSid: account, authToken: stolen }, method, path, form);

/** @param hook what the attacker does once the account is active */
async function comeBack(cleanup: ReactivateCommand["cleanup"], hook: () => unknown) {
  expect(await rig.deliver(suspend(account))).toEqual(DONE);
  rig.twilio.fail({ on: setsActive, times: 1, when: "after", do: "call", hook });
  const acknowledge = OPEN.filter((id) => !cleanup.some((other) => other === id));
  const command = reactivate((await story()).incident, { acknowledge: [...acknowledge], cleanup });
  expect(await rig.deliver(command)).toEqual(DONE);
  expect(await story()).toMatchObject({ incident: { state: "reactivated" } });
}

const whats = async () => (await story()).timeline.map(({ what }) => what);

describe("phone numbers", () => {
  const FIELDS = ["VoiceUrl", "VoiceFallbackUrl", "SmsUrl", "SmsFallbackUrl", "StatusCallback"] as const;

  test.each([...FIELDS, "VoiceApplicationSid", "SmsApplicationSid", "TrunkSid"] as const)(
    "that were given a %s are unrouted again",
    async (field) => {
      const value = { VoiceApplicationSid: "AP", SmsApplicationSid: "AP", TrunkSid: "TK" }[field as string];
      const address = value === undefined ? EVIL : `${value}${"6".repeat(32)}`;
      await comeBack(["unroute-numbers", "auth-token"], async () => {
        for (const { sid } of rig.simulator.phoneNumbers(account)) {
          expect((await attacker("POST", `${numbersPath()}/${sid}.json`, { [field]: address })).status).toBe(200);
        }
      });
      expect(JSON.stringify(routings())).not.toContain(address);
      expect(await whats()).toEqual(expect.arrayContaining(["numbers-unrouted-anew", "numbers-checked"]));
      expect((await whats()).indexOf("numbers-checked")).toBeGreaterThan((await whats()).indexOf("auth-token-rotated"));
    },
  );

  test("get their own webhooks back afterwards, and not the attacker's", async () => {
    const before = routings();
    await comeBack(["unroute-numbers", "auth-token"], async () => {
      for (const { sid } of rig.simulator.phoneNumbers(account))
        await attacker("POST", `${numbersPath()}/${sid}.json`, { VoiceUrl: EVIL });
    });
    expect(await rig.deliver(restoreNumbers((await story()).incident))).toEqual(DONE);
    expect(routings()).toEqual(before);
  });

  test("call nobody, told of their calls neither, where nobody was there", async () => {
    await comeBack(["unroute-numbers"], () => {});
    const addresses = routings().flatMap((routing) =>
      Object.entries(routing).flatMap(([name, value]) => (name.endsWith("_method") ? [] : [value])),
    );
    expect(new Set(addresses)).toEqual(new Set([""]));
    expect(await whats()).not.toContain("numbers-unrouted-anew");
    expect(await whats()).toContain("numbers-checked");
  });
});

describe("calls", () => {
  const live = () => rig.simulator.account(account).liveCalls;
  const call = () => rig.simulator.addCalls(account, { calls: 2, status: "in-progress" });

  test("that began while it was becoming active are ended, where its token is changed", async () => {
    await comeBack(["auth-token"], call);
    expect(live()).toBe(0);
    expect((await story()).timeline).toContainEqual(
      expect.objectContaining({ what: "window-calls-ended", detail: expect.objectContaining({ count: 2 }) }),
    );
  });

  test("are its customer's, where nothing is in doubt", async () => {
    await comeBack([], call);
    expect(live()).toBe(2);
  });
});

describe("restricted and main API keys, which its parent is not shown", () => {
  const types = () => rig.simulator.keys(account).map(({ type }) => type);
  const check = async () => (await story()).incident.checklist?.items.find(({ id }) => id === "api-keys");

  test("cannot be told of while it is suspended", async () => {
    for (const { sid } of rig.simulator.keys(account)) {
      const path = `/2010-04-01/Accounts/${account}/Keys/${sid}.json`;
      expect((await send(rig.simulator, rig.simulator.parent(), "DELETE", path)).status).toBe(204);
    }
    rig.simulator.stealKey(account, { type: "restricted", dateCreated: "2026-11-01T00:00:00Z" });
    expect(await rig.deliver(suspend(account))).toEqual(DONE);
    expect(await check()).toMatchObject({ answer: "cannot-tell", why: expect.stringContaining("restricted") });
  });

  test("are deleted with the others, where all were to be", async () => {
    rig.simulator.stealKey(account, { type: "restricted", dateCreated: "2026-11-01T00:00:00Z" });
    rig.simulator.stealKey(account, { type: "main", dateCreated: "2026-11-01T00:00:00Z" });
    await comeBack(["api-keys", "auth-token"], () => {});
    expect(types()).toEqual([]);
    expect((await story()).timeline).toContainEqual(
      expect.objectContaining({ what: "new-api-keys-deleted", why: expect.stringContaining("restricted or main") }),
    );
  });

  test("that were made in the window are deleted, and those from before stay, where keys were acknowledged", async () => {
    rig.simulator.stealKey(account, { type: "restricted", dateCreated: "2026-11-01T00:00:00Z" });
    const before = rig.simulator.keys(account).map(({ sid }) => sid);
    await comeBack(["auth-token"], async () => {
      const form = { AccountSid: account, FriendlyName: "thief", KeyType: "restricted" };
      expect((await attacker("POST", "/v1/Keys", form)).status).toBe(201);
    });
    expect(rig.simulator.keys(account).map(({ sid }) => sid)).toEqual(before);
  });
});
