import { recordIn } from "./core.ts";
import type { Seen } from "./world/seen.ts";
import type { World } from "./world/world.ts";

/** Tells, a line for each, what happens in a history: for whoever looks for the reason of a fault. */
export function traceTo({ time, twilio, seen }: World, trace: (line: string) => void): void {
  const nameOf = (sid: string) => (sid === twilio.parentSid ? "parent" : `#${twilio.sids.indexOf(sid)}`);
  seen.watch((one) => {
    const line = lineOf(one, nameOf);
    if (line !== undefined) trace(`   ${time.clock.now().toISOString().slice(5, 23)} ${line}`);
  });
}

function lineOf(seen: Seen, nameOf: (sid: string) => string): string | undefined {
  switch (seen.what) {
    case "status-asked":
      return `${seen.run?.name} asks for ${nameOf(seen.accountSid)} to be ${seen.status}`;
    case "status-changed":
      return `${nameOf(seen.accountSid)}: ${seen.from} -> ${seen.to} by ${seen.run?.name ?? "somebody else"}`;
    case "webhook": {
      const { by, accountSid, limit, currentValue } = seen.webhook;
      return `webhook by ${by} of ${nameOf(accountSid)}: ${limit} at ${currentValue}, answered ${seen.status}`;
    }
    case "published":
      return `published ${seen.alert.id}: ${seen.alert.subject}`;
    case "written": {
      const incident = recordIn(seen.item)?.incident;
      return incident && `written: ${incident.id} of ${nameOf(incident.accountSid)} is ${incident.state}`;
    }
    case "accepted":
      return `accepted: ${seen.command.kind} of ${nameOf(seen.command.accountSid)}`;
    case "fault":
      return `fault: ${seen.fault.kind} at request ${seen.fault.at} (${seen.fault.part}) of ${seen.fault.run.name}`;
    case "outage":
      return undefined;
    case "run-ended":
      return seen.how === "returned" ? undefined : `${seen.run.name} ${seen.how}`;
    case "logged":
      return /"level":"(WARN|ERROR)"/.test(seen.line) ? `log ${seen.line.slice(0, 600)}` : undefined;
  }
}
