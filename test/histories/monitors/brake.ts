import { brakeIn } from "../core.ts";
import { isByHand, nameOf } from "./about.ts";
import { disturbances } from "./disturbances.ts";
import type { MakeMonitor } from "./monitor.ts";

/** What was taken and came to nothing is given back by then. */
const GIVEN_BACK_MS = 90_000;

/** Invariant 5, the brake: no more accounts than it allows, and it counts suspensions that happened, nothing else. */
export const brake: MakeMonitor = (world, violated) => {
  const { time, table, seen: all } = world;
  /** Suspensions by the machine that happened since the last release. */
  let happened: { accountSid: string; at: number }[] = [];
  /** Accounts that we suspended, whoever wanted it: a run may handle a firing and a command of one. */
  const suspendedByUs = new Set<string>();
  let released: string | undefined;
  const disturbed = disturbances(
    time,
    all,
    ({ kind, part }) => kind.startsWith("kill") || part === "store" || part === "twilio",
  );

  function count(accountSid: string): void {
    const { suspensions, within } = world.policy().brake;
    happened = [...happened.filter(({ at }) => at > time.now() - within), { accountSid, at: time.now() }];
    const accounts = new Set(happened.map((one) => one.accountSid)).size;
    // While our own store is out, each worker goes by what it has seen.
    if (accounts > suspensions && !disturbed.within(within, ["store"]))
      violated("brake", `${accounts} accounts within the window; the brake allows ${suspensions}`);
  }

  function lookForPhantoms(): void {
    const { within } = world.policy().brake;
    if (disturbed.within(within, ["store", "twilio"])) return;
    for (const { accountSid, at } of brakeIn(table).suspensions) {
      const age = time.now() - Date.parse(at);
      if (age > GIVEN_BACK_MS && age < within && !suspendedByUs.has(accountSid))
        violated("phantom-place", `${nameOf(world, accountSid)} has a place at the brake, and was not suspended`);
    }
  }

  return {
    watch(seen) {
      if (seen.what === "run-ended" && seen.run.name === "respond") lookForPhantoms();
      if (seen.what === "written") {
        const { command } = brakeIn(table).releases.at(-1) ?? {};
        if (command !== released) happened = [];
        released = command;
      }
      if (seen.what !== "status-changed" || seen.to !== "suspended" || seen.run === undefined) return;
      suspendedByUs.add(seen.accountSid);
      if (!isByHand(world, seen.run, seen.accountSid)) count(seen.accountSid);
    },
  };
};
