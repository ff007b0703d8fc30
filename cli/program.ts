import { Argument, Command, CommanderError, Option } from "commander";
import { messageOf, TollbreakerError } from "../lib/errors.ts";
import { INCIDENT_STATES } from "../lib/incidents/incident.ts";
import { EXIT, EXIT_HELP, type Exit, Failure } from "./failure.ts";
import { type ListOptions, listIncidents, showIncident } from "./incidents.ts";
import { type Environment, findServer } from "./server.ts";
import { ATTACKS, simulate } from "./simulate.ts";
import { printable, type Terminal } from "./terminal.ts";

const ENVIRONMENT_HELP = `
Environment:
  TOLLBREAKER_URL    where the operator API is
  TOLLBREAKER_TOKEN  your token there
  POLICY_FILE        the policy to check, instead of policy.yml
  DATA_DIR           without TOLLBREAKER_URL, the local run that keeps its data here is used (.tollbreaker)
  NO_COLOR           no colours, whatever the terminal can do`;

/** Runs one command line, given without the program's name. Resolves to the exit code; never rejects. */
export async function run(words: readonly string[], environment: Environment, terminal: Terminal): Promise<Exit> {
  try {
    await program(environment, terminal).parseAsync(words, { from: "user" });
    return EXIT.ok;
  } catch (thrown) {
    return conclude(thrown, terminal);
  }
}

function program(environment: Environment, terminal: Terminal): Command {
  const root = new Command("tollbreaker")
    .description("Reads the record of a Tollbreaker, and tries one that runs locally.")
    .exitOverride()
    .showHelpAfterError("(--help tells more)")
    .addHelpText("afterAll", `${ENVIRONMENT_HELP}\n${EXIT_HELP}`);
  const incidents = root.command("incidents").description("the record: who was suspended, why, and what followed");
  addList(incidents.command("list"), environment, terminal);
  addShow(incidents.command("show"), environment, terminal);
  addSimulate(root.command("simulate"), environment, terminal);
  const policy = root.command("policy").description("the policy file: what trips, and what happens then");
  addPolicyCheck(policy.command("check"), environment, terminal);
  addPolicySchema(policy.command("schema"), terminal);
  return root;
}

function addList(list: Command, environment: Environment, terminal: Terminal): void {
  list
    .description("incidents, newest first")
    .addOption(new Option("--state <state>", "only those in this state").choices(INCIDENT_STATES))
    .option("--account <sid>", "only those of this account")
    .addOption(new Option("--limit <n>", "how many at most, 1 to 100 (default: 25)").conflicts("all"))
    .option("--cursor <cursor>", "go on where an earlier list ended")
    .option("--all", "every incident, not only one page")
    .option("--json", JSON_HELP)
    .action(async (options: ListOptions) => listIncidents(await findServer(environment), options, terminal));
}

function addShow(show: Command, environment: Environment, terminal: Terminal): void {
  show
    .description("one incident with its timeline")
    .argument("<id>", "the incident's id, as the list shows it")
    .option("--json", JSON_HELP)
    .action(async (id: string, { json = false }: { json?: boolean }) =>
      showIncident(await findServer(environment), id, json, terminal),
    );
}

function addSimulate(command: Command, environment: Environment, terminal: Terminal): void {
  command
    .description("starts an attack on a subaccount of the local run's simulated Twilio")
    .addArgument(new Argument("<attack>", "what to do to it").choices(ATTACKS))
    .option("--account <sid>", "the subaccount (default: the first active one)")
    .action(async (attack: string, { account }: { account?: string }) =>
      simulate(environment, attack, account, terminal),
    );
}

// Imported only when asked for: the other commands need no YAML.
function addPolicyCheck(check: Command, environment: Environment, terminal: Terminal): void {
  check
    .description("says whether a policy can be used, and everything that is wrong with it")
    .argument("[file]", "the policy (default: POLICY_FILE, or policy.yml)")
    .action(async (file?: string) => (await import("./policy.ts")).checkPolicy(file, environment, terminal));
}

function addPolicySchema(schema: Command, terminal: Terminal): void {
  schema
    .description("the JSON Schema that editors check a policy with")
    .action(async () => (await import("./policy.ts")).printPolicySchema(terminal));
}

const JSON_HELP = "the API's JSON on standard output, and nothing else there";

function conclude(thrown: unknown, terminal: Terminal): Exit {
  // Commander has written its message already. Help that was asked for is a success.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(thrown instanceof TollbreakerError)) return failUnexpectedly(thrown, terminal);
  terminal.tell(explain(thrown));
  return thrown instanceof Failure ? thrown.exit : EXIT.failed;
}

// A message may quote what came from outside.
function explain(error: TollbreakerError): string {
  return `tollbreaker: ${printable(error.message)} (${printable(error.code)})`;
}

function failUnexpectedly(thrown: unknown, terminal: Terminal): Exit {
  terminal.tell(`tollbreaker: this is a fault of the command line itself: ${printable(messageOf(thrown))}`);
  return EXIT.failed;
}
