import type { Message, UsageTriggerSignal } from "../inbox/messages.ts";
import type { Policy } from "../policy/policy.ts";
import type { Sweeper } from "./sweeper.ts";

export async function putAll({ inbox }: Sweeper, messages: readonly Message[]): Promise<void> {
  for (const message of messages) await inbox.put(message);
}

/** Messages of one account are dealt with in order: a warning must not hold up the suspension. */
export function suspendingFirst(signals: readonly UsageTriggerSignal[], { limits }: Policy): UsageTriggerSignal[] {
  const isWarning = ({ limit }: UsageTriggerSignal) =>
    Object.entries(limits).some(([name, { then }]) => name === limit && then === "alert");
  return signals.toSorted((one, other) => Number(isWarning(one)) - Number(isWarning(other)));
}
