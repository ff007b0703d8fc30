import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { showBrake } from "../../../cli/acting/brake.ts";
import { dismissIncident } from "../../../cli/acting/incident-commands.ts";
import { reactivateIncident } from "../../../cli/acting/reactivate.ts";
import { suspendAccount } from "../../../cli/acting/suspend.ts";
import { Failure } from "../../../cli/failure.ts";
import type { Server } from "../../../cli/server.ts";
import { terminal } from "../../../cli/terminal.ts";
import { checklistRead } from "../../../lib/incidents/coming-back.ts";
import { incidentIdFor, openIncident, suspended } from "../../../lib/incidents/record.ts";
import { operatorApi } from "../../../lib/operators/operator-api.ts";
import { type CommandRig, commandRig, commandsIn, EXEMPT, NOW, newAccount } from "../../lib/operators/command-rig.ts";
import { firing, tripping } from "../../support/signals.ts";
import { type Listening, serve } from "../command-line.ts";

// The real API before a real queue: what the command line sends is what the inbox holds. Nobody carries it out.

let rig: CommandRig;
let listening: Listening;
let server: Server;
beforeAll(async () => {
  rig = await commandRig();
  listening = await serve(getRequestListener(operatorApi(rig.parts).fetch));
  server = { url: listening.url, token: "token-of-olga", local: false };
});
afterAll(async () => {
  await listening.close();
  await rig.close();
});

const quiet = () =>
  terminal(
    new PassThrough(),
    new PassThrough(),
    {},
    {
      input: new PassThrough(),
      output: new PassThrough(),
      interrupts: new EventEmitter(),
    },
  );
const manner = { pace: { every: 5, atMost: 20 } };
const NOT_OVER = { exit: 8, code: "not-over-yet" };

async function suspendedIncident(): Promise<string> {
  const signal = firing(newAccount());
  const id = incidentIdFor(signal);
  const opened = await rig.store.save(openIncident(id, tripping(signal), NOW));
  const change = suspended(opened, { by: "tollbreaker", friendlyName: "Northwind", reason: "over", now: NOW });
  const items = [{ id: "api-keys" as const, answer: "not-done" as const, why: "2 keys" }];
  const checklist = { readAt: new Date().toISOString(), items };
  await rig.store.save(checklistRead(await rig.store.save(change), checklist, null));
  return id;
}

describe("the operator API takes", () => {
  it("a reactivation, with the clean-ups and countries", async () => {
    rig.emptyInbox();
    const id = await suspendedIncident();
    const options = {
      ...{ reason: "the leaked key is revoked", yes: true as const },
      ...{ cleanup: ["api-keys", "voice-countries"], countries: ["US", "CA"] },
    };
    await expect(reactivateIncident(server, id, options, quiet(), manner)).rejects.toMatchObject(NOT_OVER);
    expect(commandsIn(rig)).toMatchObject([
      { kind: "reactivate", incidentId: id, operator: "olga", road: "cli", ...{ cleanup: options.cleanup } },
    ]);
    expect(commandsIn(rig)).toMatchObject([{ countries: ["US", "CA"], acknowledge: [] }]);
  });

  it("a suspension, once the exemption was read", async () => {
    rig.emptyInbox();
    const reason = "the emergency line is abused";
    await expect(suspendAccount(server, EXEMPT, { reason }, quiet(), manner)).rejects.toMatchObject({
      exit: 6,
      notes: [expect.stringMatching(/^exempt \(.*\): --acknowledge exempt$/)],
    });
    const options = { reason, acknowledge: ["exempt"] };
    await expect(suspendAccount(server, EXEMPT, options, quiet(), manner)).rejects.toMatchObject(NOT_OVER);
    expect(commandsIn(rig)).toMatchObject([{ kind: "suspend", accountSid: EXEMPT, road: "cli", reason }]);
  });

  it("no dismissal of a suspended account", async () => {
    const id = await suspendedIncident();
    const options = { reason: "nothing to be done" };
    await expect(dismissIncident(server, id, options, quiet(), manner)).rejects.toMatchObject({ exit: 6 });
  });

  it("what a script acknowledges once it says on which check-list: the refusal shows it", async () => {
    rig.emptyInbox();
    const id = await suspendedIncident();
    const options = { reason: "the leaked key is revoked", yes: true as const, acknowledge: ["api-keys"] };
    const refusal = await reactivateIncident(server, id, options, quiet(), manner).catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ exit: 6, code: "checklist-unnamed" });
    const [, checklist = ""] =
      /--checklist ([0-9a-f]+)/.exec(refusal instanceof Failure ? refusal.notes.join(" ") : "") ?? [];
    expect(commandsIn(rig)).toEqual([]);
    await expect(reactivateIncident(server, id, { ...options, checklist }, quiet(), manner)).rejects.toMatchObject(
      NOT_OVER,
    );
    expect(commandsIn(rig)).toMatchObject([{ acknowledge: ["api-keys"], seen: [{ id: "api-keys" }] }]);
  });

  it("no reactivation by a viewer", async () => {
    const id = await suspendedIncident();
    const viewer = { ...server, token: "token-of-victor" };
    const options = { reason: "the leaked key is revoked", yes: true as const, acknowledge: ["api-keys"] };
    await expect(reactivateIncident(viewer, id, options, quiet(), manner)).rejects.toMatchObject({
      exit: 5,
      code: "role-too-low",
    });
  });

  it("and shows the brake", async () => {
    const stdout = new PassThrough().setEncoding("utf8");
    await showBrake(server, false, terminal(stdout, new PassThrough(), {}));
    expect(stdout.read()).toContain("0 of 5 accounts suspended within 10 min count now.");
  });
});
