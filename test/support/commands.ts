import { randomUUID } from "node:crypto";
import type {
  AdoptCommand,
  CheckCommand,
  DismissCommand,
  EndRaiseCommand,
  RaiseLimitCommand,
  ReactivateCommand,
  ReleaseBrakeCommand,
  RestoreNumbersCommand,
  SuspendCommand,
} from "../../lib/inbox/commands.ts";
import type { Incident } from "../../lib/incidents/incident.ts";

type Concerned = Pick<Incident, "id" | "accountSid">;

/** What every command carries; each call is another request. */
function asked() {
  return {
    id: randomUUID(),
    receivedAt: new Date().toISOString(),
    operator: "alice",
    road: "api" as const,
    reason: "the leaked key was found and revoked",
  };
}

/** All that is not in order after any containment is acknowledged, unless `changes` say otherwise. */
export function reactivate(
  incident: Concerned & Partial<Pick<Incident, "checklist">>,
  changes: Partial<ReactivateCommand> = {},
): ReactivateCommand {
  return {
    kind: "reactivate",
    ...asked(),
    ...concerning(incident),
    acknowledge: ["suspended-by", "api-keys", "auth-token", "triggers"],
    cleanup: [],
    countries: [],
    seen: [...(incident.checklist?.items ?? [])],
    ...changes,
  };
}

export function dismiss(incident: Concerned, changes: Partial<DismissCommand> = {}): DismissCommand {
  return { kind: "dismiss", ...asked(), ...concerning(incident), ...changes };
}

export function check(incident: Concerned): CheckCommand {
  return { kind: "check", ...asked(), reason: "", ...concerning(incident) };
}

export function restoreNumbers(incident: Concerned): RestoreNumbersCommand {
  return { kind: "restore-numbers", ...asked(), ...concerning(incident) };
}

export function suspend(accountSid: string, changes: Partial<SuspendCommand> = {}): SuspendCommand {
  return { kind: "suspend", ...asked(), accountSid, acknowledge: [], ...changes };
}

export function adopt(accountSid: string, changes: Partial<AdoptCommand> = {}): AdoptCommand {
  return { kind: "adopt", ...asked(), accountSid, ...changes };
}

export function releaseBrake(parentSid: string, accounts: string[] | null): ReleaseBrakeCommand {
  return { kind: "release-brake", ...asked(), accountSid: parentSid, accounts };
}

/** `daily-spend` to 500, for two hours, unless `changes` say otherwise. */
export function raiseLimit(accountSid: string, changes: Partial<RaiseLimitCommand> = {}): RaiseLimitCommand {
  const command = { kind: "raise-limit" as const, ...asked(), accountSid, limit: "daily-spend", to: "500" };
  const at = changes.receivedAt ?? command.receivedAt;
  return { ...command, until: new Date(Date.parse(at) + 2 * 3600_000).toISOString(), ...changes };
}

export function endRaise(accountSid: string, changes: Partial<EndRaiseCommand> = {}): EndRaiseCommand {
  return { kind: "end-raise", ...asked(), accountSid, limit: "daily-spend", ...changes };
}

function concerning({ id, accountSid }: Concerned) {
  return { incidentId: id, accountSid };
}
