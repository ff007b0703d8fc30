import pLimit from "p-limit";
import type { ReleaseBrakeCommand } from "../inbox/commands.ts";
import type { Waiting } from "../policy/brake.ts";
import { type Order, type Responder, share } from "./responder.ts";

/** Of the delivery's time: the rest is for the last page and for the record. */
const RELEASE_SHARE = 0.6;
const AT_ONCE = 25;

/**
 * A person has looked at what the brake holds, and wants it suspended: each of the waiting accounts by a command of its
 * own, in its own account's order. Repeatable: the same release sends the same commands, and goes on where it was.
 * @returns why it must be carried on; undefined once it is through.
 */
export async function releaseBrake(
  responder: Responder,
  order: Order<ReleaseBrakeCommand>,
): Promise<string | undefined> {
  const { brake, clock, log } = responder;
  const { id, operator, road } = order.command;
  const until = share(responder, order, RELEASE_SHARE);
  const { reached } = await brake.release(id);
  if (reached === null) return undefined;
  let released = 0;
  for await (const page of brake.waiting(reached)) {
    if (clock.now().getTime() >= until.deadline) return "not all accounts that wait at the brake were released in time";
    released += await suspendEach(responder, order.command, page);
    const last = page.at(-1);
    if (last !== undefined) await brake.noteRelease({ command: id, reached: last.accountSid });
  }
  await brake.noteRelease({ command: id, reached: null });
  log.warn("brake-released", { operator, road, accounts: released });
  return undefined;
}

async function suspendEach(
  { inbox }: Responder,
  command: ReleaseBrakeCommand,
  page: readonly Waiting[],
): Promise<number> {
  const { id, operator, road, reason, receivedAt } = command;
  const chosen = page.filter((one) => isMeant(command, one));
  const who = { operator, road, reason, receivedAt };
  await pLimit(AT_ONCE).map(chosen, ({ accountSid }) =>
    inbox.put({ kind: "suspend", id: `${id}:${accountSid}`, accountSid, ...who, acknowledge: [] }),
  );
  return chosen.length;
}

/** Who came to wait after a release of all was accepted waits for the next decision. */
function isMeant({ accounts, receivedAt }: ReleaseBrakeCommand, { accountSid, since }: Waiting): boolean {
  return accounts === null ? Date.parse(since) <= Date.parse(receivedAt) : accounts.includes(accountSid);
}
