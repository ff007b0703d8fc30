import { type Command, InvalidArgumentError } from "commander";
import { MOST_IN_BATCH } from "../../lib/inbox/commands.ts";
import { CHECK_IDS, CLEANUP_IDS } from "../../lib/incidents/checklist.ts";
import { OBJECTIONS } from "../../lib/operators/commands/wished.ts";
import { EXIT, Failure } from "../failure.ts";
import { type Environment, findServer } from "../server.ts";
import type { Terminal } from "../terminal.ts";
import type { Choosing } from "./all.ts";
import type { ReleaseOptions } from "./brake.ts";
import type { RaiseOptions } from "./raise.ts";
import type { ReactivateOptions } from "./reactivate.ts";
import type { SuspendOptions } from "./suspend.ts";

/** The commands that change something. Each is imported only when it is asked for. */

interface Scene {
  environment: Environment;
  terminal: Terminal;
}

interface DismissOptions {
  reason?: string;
  yes?: true;
}

/** They choose among incidents; together with an id they would be passed over in silence. */
function refuseForOne(becauseOf: readonly string[] | undefined, since: string | undefined): void {
  if (becauseOf === undefined && since === undefined) return;
  throw new Failure(EXIT.usage, "option-unfit", "--because-of and --since belong to --all.", {
    expected: "an incident's id without them, or --all with both",
    fix: "leave out the id and add --all, or leave these out",
  });
}

interface Json {
  json?: boolean;
}

const JSON_HELP = "the outcome as JSON on standard output, and nothing else there";
const ALL_HELP = `each incident of --because-of and --since, ${MOST_IN_BATCH} at most, the oldest first`;
const ID = "the incident's id, as the list shows it";

/** On `incidents`: reactivate, dismiss, check and restore-numbers. */
export function addIncidentCommands(incidents: Command, environment: Environment, terminal: Terminal): void {
  const scene = { environment, terminal };
  addReactivate(incidents.command("reactivate"), scene);
  addCheck(incidents.command("check"), scene);
  addDismiss(incidents.command("dismiss"), scene);
  addRestoreNumbers(incidents.command("restore-numbers"), scene);
}

/** On the program itself: suspend and brake. */
export function addAccountCommands(root: Command, environment: Environment, terminal: Terminal): void {
  const scene = { environment, terminal };
  addSuspend(root.command("suspend"), scene);
  addBrake(root.command("brake"), scene);
}

function addReactivate(command: Command, { environment, terminal }: Scene): void {
  choosing(
    reasoned(command)
      .description(
        "brings a suspended account back: shows the check-list, asks, and follows; or several, after a false alarm",
      )
      .argument("[id]", `${ID}; or --all`)
      .option("--acknowledge <ids>", `open items to leave as they are: ${CHECK_IDS.join(", ")}`, listOf(CHECK_IDS))
      .option("--cleanup <ids>", `what to clean up on the way: ${CLEANUP_IDS.join(", ")}`, listOf(CLEANUP_IDS)),
  )
    .option("--countries <codes>", "with the clean-up voice-countries, such as US,CA", countries)
    .option(
      "--checklist <digest>",
      "which check-list --acknowledge was read on: `incidents show` ends it with its digest",
    )
    .option("--yes", "do not ask once more before it begins; with --acknowledge, needs --checklist")
    .option("--json", JSON_HELP)
    .action(async (id: string | undefined, { json = false, ...given }: ReactivateOptions & Choosing & Json) => {
      const { all, becauseOf, since, ...options } = given;
      if (id === undefined || all) {
        const { actOnAll } = await import("./all.ts");
        return actOnAll(() => findServer(environment), "reactivate", { id, json, ...given }, terminal);
      }
      refuseForOne(becauseOf, since);
      const { reactivateIncident } = await import("./reactivate.ts");
      await ending(json, id, terminal, async (screen) =>
        reactivateIncident(await findServer(environment), id, options, screen, { json }),
      );
    });
}

function addCheck(command: Command, { environment, terminal }: Scene): void {
  command
    .description("reads the check-list of a suspended account anew")
    .argument("<id>", ID)
    .option("--json", "the incident as the API has it then, and nothing else")
    .action(async (id: string, { json = false }: Json) => {
      const { checkIncident } = await import("./incident-commands.ts");
      await checkIncident(await findServer(environment), id, terminal, { json });
    });
}

function addDismiss(command: Command, { environment, terminal }: Scene): void {
  choosing(
    reasoned(command)
      .description("ends an incident about which nothing is to be done; or several, after a false alarm")
      .argument("[id]", `${ID}; or --all`),
  )
    .option("--yes", "with --all: do not ask once more before it begins")
    .option("--json", JSON_HELP)
    .action(async (id: string | undefined, { json = false, ...given }: DismissOptions & Choosing & Json) => {
      const { all, becauseOf, since, yes: _, ...options } = given;
      if (id === undefined || all) {
        const { actOnAll } = await import("./all.ts");
        return actOnAll(() => findServer(environment), "dismiss", { id, json, ...given }, terminal);
      }
      refuseForOne(becauseOf, since);
      const { dismissIncident } = await import("./incident-commands.ts");
      await ending(json, id, terminal, async (screen) =>
        dismissIncident(await findServer(environment), id, options, screen, { json }),
      );
    });
}

function addRestoreNumbers(command: Command, { environment, terminal }: Scene): void {
  reasoned(command)
    .description("gives phone numbers the webhooks back that the clean-up unroute-numbers took")
    .argument("<id>", ID)
    .option("--json", JSON_HELP)
    .action(async (id: string, { json = false, ...options }: { reason?: string } & Json) => {
      const { restoreNumbers } = await import("./incident-commands.ts");
      await ending(json, id, terminal, async (screen) =>
        restoreNumbers(await findServer(environment), id, options, screen, { json }),
      );
    });
}

function addSuspend(command: Command, { environment, terminal }: Scene): void {
  reasoned(command)
    .description("suspends an account now, whether or not anything tripped")
    .argument("<sid>", "the subaccount's SID: AC...")
    .option("--acknowledge <ids>", `what the policy says against it: ${OBJECTIONS.join(", ")}`, listOf(OBJECTIONS))
    .option("--json", JSON_HELP)
    .action(async (sid: string, { json = false, ...options }: SuspendOptions & Json) => {
      const { suspendAccount } = await import("./suspend.ts");
      await ending(json, null, terminal, async (screen) =>
        suspendAccount(await findServer(environment), sid, options, screen, { json }),
      );
    });
}

/** On `accounts`: raise and raises. */
export function addRaises(accounts: Command, environment: Environment, terminal: Terminal): void {
  reasoned(accounts.command("raise"))
    .description("raises a limit of one account until a time, without a deployment; or takes that back")
    .argument("<sid>", "the subaccount's SID: AC...")
    .requiredOption("--limit <name>", "the limit's name in the policy, such as daily-spend")
    .option("--to <value>", "what it is to be; the policy says how much it may be (raise: times)")
    .option("--until <time>", "when it ends by itself, such as 2027-01-31T18:00:00Z")
    .option("--end", "take the raise back, before its time is over")
    .option("--json", "what came of it as the API has it, and nothing else there")
    .action(async (sid: string, { json = false, ...options }: RaiseOptions & Json) => {
      const { raiseLimit } = await import("./raise.ts");
      await raiseLimit(await findServer(environment), sid, options, terminal, { json });
    });
  accounts
    .command("raises")
    .description("limits that are raised, and those that were within 31 days")
    .option("--account <sid>", "those of one account, and all that it ever had")
    .option("--json", "the API's JSON on standard output, and nothing else there")
    .action(async (options: { account?: string; json?: true }) => {
      const { listRaises } = await import("./raise.ts");
      await listRaises(await findServer(environment), options, terminal);
    });
}

function addBrake(brake: Command, { environment, terminal }: Scene): void {
  brake.description("the stop on mass suspension");
  brake
    .command("show")
    .description("whom it holds")
    .option("--json", "the API's JSON on standard output, and nothing else there")
    .action(async ({ json = false }: Json) => {
      const { showBrake } = await import("./brake.ts");
      await showBrake(await findServer(environment), json, terminal);
    });
  reasoned(brake.command("release"))
    .description("lets accounts that wait be suspended, and counts anew")
    .option("--accounts <sids>", "only these of them (default: all that it shows)", named)
    .option("--yes", "do not ask once more")
    .action(async (options: ReleaseOptions) => {
      const { releaseBrake } = await import("./brake.ts");
      await releaseBrake(await findServer(environment), options, terminal);
    });
}

/** Every end of a command that is followed, also one that comes before anything was sent, is printed where `--json` asks for it. */
async function ending(
  json: boolean,
  incidentId: string | null,
  terminal: Terminal,
  act: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  if (!json) return act(terminal);
  const { toldAsJson } = await import("./as-json.ts");
  await toldAsJson(incidentId, terminal, act);
}

/** One incident, or those of a false alarm. */
function choosing(command: Command): Command {
  return command
    .option("--all", ALL_HELP)
    .option(
      "--because-of <rules>",
      "with --all: what tripped them, such as daily-spend; once more for another rule",
      eachOf,
    )
    .option("--since <time>", "with --all: from which firing on, such as 2026-11-21T03:00:00Z");
}

function reasoned(command: Command): Command {
  return command.option("--reason <text>", "why, for the record: at least ten characters (asked for on a terminal)");
}

/** `a,b`, as often as wanted. */
function several(text: string, earlier: readonly string[] = []): readonly string[] {
  const items = text.split(",").map((item) => item.trim());
  return [...new Set([...earlier, ...items.filter((item) => item !== "")])];
}

/** The same, and never nobody: a script's empty variable must not be taken for one of the two. */
function named(text: string, earlier?: readonly string[]): readonly string[] {
  const items = several(text, earlier);
  if (items.length > 0) return items;
  throw new InvalidArgumentError("It names no account. Expected: SIDs, or no --accounts for all that wait.");
}

/** As it is: a rule's name may have commas. */
function eachOf(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...new Set([...earlier, text.trim()])];
}

function listOf(known: readonly string[]) {
  return (text: string, earlier?: readonly string[]) => {
    const items = several(text, earlier);
    const unknown = items.filter((item) => !known.includes(item));
    if (unknown.length === 0) return items;
    throw new InvalidArgumentError(`There is no ${unknown.join(", ")}. Expected: ${known.join(", ")}.`);
  };
}

/** In capitals; whether they are countries is asked of all of them together. */
function countries(text: string, earlier?: readonly string[]): readonly string[] {
  return several(text.toUpperCase(), earlier);
}
