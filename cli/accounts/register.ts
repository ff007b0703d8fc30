import type { Command } from "commander";
import { type Environment, findServer } from "../server.ts";
import type { Terminal } from "../terminal.ts";
import type { AdoptOptions } from "./adopt.ts";

/** `accounts`: each is imported only when it is asked for. */
export function addAdopt(adopt: Command, environment: Environment, terminal: Terminal): void {
  adopt
    .description("gives an account that was suspended past Tollbreaker an incident, to be reactivated as any other")
    .argument("[sid]", "the subaccount's SID: AC...")
    .option("--all", "every suspended account that has no open incident, as Twilio lists them")
    .option("--reason <text>", "why, for the record: at least ten characters (asked for on a terminal)")
    .action(async (sid: string | undefined, options: AdoptOptions) =>
      (await import("./adopt.ts")).adoptCommand(await findServer(environment), sid, options, environment, terminal),
    );
}
