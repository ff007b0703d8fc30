import { SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sqsInbox } from "../../../lib/inbox/inbox.ts";
import { acceptCommand } from "../../../lib/operators/accept-command.ts";
import type { Wished } from "../../../lib/operators/commands/wished.ts";
import type { Operator } from "../../../lib/operators/operators.ts";
import { type CommandRig, commandRig, commandsIn } from "./command-rig.ts";
import { incidentIn } from "./incidents-in-states.ts";

// The roads that do not come by HTTP use it directly, so it must hold without the routes.
const OLGA: Operator = { name: "olga", sha256: Buffer.alloc(32), role: "operator", expires: null, slack: "U012ABCDEF" };
const VICTOR: Operator = { ...OLGA, name: "victor", role: "viewer" };
const REASON = "false alarm, a load test of ours";

let rig: CommandRig;
beforeAll(async () => {
  rig = await commandRig();
});
afterAll(() => rig.close());
afterEach(() => rig.emptyInbox());

function dismissal(incidentId: string, changes: { reason?: string; requestId?: string } = {}): Wished {
  return { kind: "dismiss", incidentId, reason: REASON, ...changes };
}

describe("acceptCommand", () => {
  it("hands over an operator's wish, with its road", async () => {
    const { id, accountSid } = await incidentIn(rig, { state: "alerted" });
    const outcome = await acceptCommand(rig.parts, { operator: OLGA, road: "slack", wish: dismissal(id) });
    const [command] = commandsIn(rig);
    expect(outcome).toEqual({ kind: "accepted", command: command?.id, incidentId: id });
    expect(command).toMatchObject({ kind: "dismiss", accountSid, operator: "olga", road: "slack", reason: REASON });
  });

  it("refuses a viewer's, reads nothing for it, and logs it", async () => {
    rig.logged();
    const unread = () => Promise.reject(new Error("this must not be read"));
    const parts = { ...rig.parts, incidents: { list: unread, get: unread, head: unread } };
    const wish = dismissal("20261121T030405123-1f3a9c2e");
    expect(await acceptCommand(parts, { operator: VICTOR, road: "slack", wish })).toMatchObject({
      kind: "refused",
      problem: { status: 403, code: "role-too-low" },
    });
    expect(rig.inbox()).toEqual([]);
    expect(rig.logged()).toMatchObject([
      { event: "operator-refused", operator: "victor", road: "slack", kind: "dismiss", code: "role-too-low" },
    ]);
  });

  it("checks the reason itself", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const wish = dismissal(id, { reason: " \n oops \t " });
    expect(await acceptCommand(rig.parts, { operator: OLGA, road: "slack", wish })).toMatchObject({
      problem: { status: 422, code: "reason-too-short", got: '"oops"' },
    });
    expect(rig.inbox()).toEqual([]);
  });

  it("makes one command of a request that is sent twice, and two of two operators' requests", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const asked = { operator: OLGA, road: "slack" as const, wish: dismissal(id, { requestId: "V024BE7LH" }) };
    const [first, second] = [await acceptCommand(rig.parts, asked), await acceptCommand(rig.parts, asked)];
    expect(second).toEqual(first);
    expect(rig.inbox()).toHaveLength(1);
    await acceptCommand(rig.parts, { ...asked, operator: { ...OLGA, name: "oscar" } });
    expect(rig.inbox()).toHaveLength(2);
  });
});

describe("once nobody waits for the outcome", () => {
  it("nothing is handed over, however far it was", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const { incidents } = rig.parts;
    const giveUp = new AbortController();
    const get = async (incidentId: string) => {
      const read = await incidents.get(incidentId);
      giveUp.abort();
      return read;
    };
    const parts = { ...rig.parts, incidents: { ...incidents, get } };
    rig.logged();
    const asked = { operator: OLGA, road: "slack" as const, wish: dismissal(id) };
    expect(await acceptCommand(parts, asked, giveUp.signal)).toMatchObject({
      kind: "refused",
      problem: { status: 503, code: "unavailable", detail: expect.stringContaining("nothing was asked for") },
    });
    expect(rig.inbox()).toEqual([]);
    expect(rig.logged()).toMatchObject([
      { event: "command-too-late", level: "WARN", kind: "dismiss" },
      { event: "command-refused", code: "unavailable", incident: id },
    ]);
  });

  it("the inbox is not asked again", async () => {
    const { id } = await incidentIn(rig, { state: "alerted" });
    const giveUp = new AbortController();
    rig.sqs.fail({ do: "call", hook: () => giveUp.abort(), times: 1 });
    const client = new SQSClient({ endpoint: rig.sqs.url, maxAttempts: 3 });
    const inbox = sqsInbox(client, `${rig.sqs.url}/000000000000/tollbreaker-inbox.fifo`);
    const before = rig.sqs.requests().length;
    const asked = { operator: OLGA, road: "slack" as const, wish: dismissal(id) };
    expect(await acceptCommand({ ...rig.parts, inbox }, asked, giveUp.signal)).toMatchObject({
      kind: "refused",
      problem: { status: 503, code: "command-not-stored" },
    });
    expect(rig.sqs.requests()).toHaveLength(before + 1);
    rig.sqs.clear();
    client.destroy();
  });
});
