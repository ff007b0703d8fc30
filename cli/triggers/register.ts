import { type Command, InvalidArgumentError } from "commander";
import { isAccountSid } from "../../lib/twilio/sids.ts";
import type { Environment } from "../server.ts";
import type { Terminal } from "../terminal.ts";
import type { ApplyOptions } from "./apply.ts";
import type { PlanOptions } from "./plan.ts";
import type { RemoveOptions } from "./remove.ts";

const JSON_HELP = "all of it as JSON on standard output, and nothing else there";

/** `triggers`: each is imported only when it is asked for. */
export function addTriggers(triggers: Command, environment: Environment, terminal: Terminal): void {
  triggers.description("the usage triggers of the policy, on every subaccount");
  triggers
    .command("plan")
    .description("what `apply` would do; changes nothing")
    .option("--check", "exit code 9 when something is to be done")
    .option("--json", JSON_HELP)
    .action(async (options: PlanOptions) => (await import("./plan.ts")).planCommand(options, environment, terminal));
  triggers
    .command("apply")
    .description("creates, replaces, updates and removes, until each account carries what the policy wants")
    .option("--allow-empty", "also when the policy has no limits, and all of ours are removed")
    .option("--take-over", "make other Tollbreakers' triggers ours: for one that is gone, such as an earlier region")
    .option("--currency-ok <sids>", "accounts for which the policy's numbers are right in their own currency", sids)
    .option("--json", JSON_HELP)
    .action(async (options: ApplyOptions) => (await import("./apply.ts")).applyCommand(options, environment, terminal));
  triggers
    .command("status")
    .description("what each account carries, and how far each limit is used")
    .option("--json", JSON_HELP)
    .action(async (options: { json?: true }) =>
      (await import("./status.ts")).statusCommand(options, environment, terminal),
    );
  triggers
    .command("remove")
    .description("removes the triggers that are ours, and no other")
    .option("--yes", "do not ask first")
    .option("--json", JSON_HELP)
    .action(async (options: RemoveOptions) =>
      (await import("./remove.ts")).removeCommand(options, environment, terminal),
    );
}

function sids(text: string): string[] {
  const all = text.split(",").map((one) => one.trim());
  const wrong = all.find((one) => !isAccountSid(one));
  if (wrong === undefined) return all;
  throw new InvalidArgumentError(`Expected Account SIDs with commas between them. Got: ${JSON.stringify(wrong)}.`);
}
