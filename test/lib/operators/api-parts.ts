import { systemClock } from "../../../lib/clock.ts";
import type { IncidentReader } from "../../../lib/incidents/incident-reader.ts";
import type { Log } from "../../../lib/log.ts";
import type { OperatorApiParts } from "../../../lib/operators/operator-api.ts";
import type { Operators } from "../../../lib/operators/operators.ts";
import { watchInMemory } from "../../../lib/operators/watch.ts";
import { NO_BRAKE_STATE } from "../../../lib/policy/brake.ts";
import { SUSPEND_ALL } from "../../support/policies.ts";

interface Given {
  incidents: IncidentReader;
  operators: Operators;
  log: Log;
}

/** What the operator API needs where it is only read from: a command would be refused, because no inbox takes it. */
export function readingParts(given: Given): OperatorApiParts {
  return {
    ...given,
    brake: { state: async () => NO_BRAKE_STATE, waiting: async () => ({ waiting: [], next: null }) },
    raises: { list: async () => [] },
    drills: { read: async () => [] },
    inbox: { put: () => Promise.reject(new Error("there is no inbox")) },
    policy: SUSPEND_ALL,
    parentSid: `AC${"0".repeat(32)}`,
    publicUrl: "https://tollbreaker.example.com",
    watch: watchInMemory(systemClock, given.log),
    clock: systemClock,
  };
}
