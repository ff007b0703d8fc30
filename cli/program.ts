import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { messageOf, TollbreakerError } from "../lib/errors.ts";
import { INCIDENT_STATES } from "../lib/incidents/incident.ts";
import { isAccountSid } from "../lib/twilio/sids.ts";
import { addAdopt } from "./accounts/register.ts";
import { addAccountCommands, addIncidentCommands, addRaises } from "./acting/register.ts";
import type { DoctorOptions } from "./doctor/doctor.ts";
import type { DrillOptions } from "./drill.ts";
import { EXIT, EXIT_HELP, type Exit, Failure } from "./failure.ts";
import { type ListOptions, listIncidents, showIncident } from "./incidents.ts";
import type { AddOptions } from "./operators.ts";
import { type Environment, findServer } from "./server.ts";
import { ATTACKS, simulate } from "./simulate.ts";
import { printable, type Terminal } from "./terminal.ts";
import { addTriggers } from "./triggers/register.ts";

const ENVIRONMENT_HELP = `
Environment:
  TOLLBREAKER_URL    where the operator API is
  TOLLBREAKER_TOKEN  your token there
  TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, PUBLIC_URL
                     for triggers, drill and doctor: the parent account, and the address that Twilio calls; without
                     them, those of the local run
  TWILIO_API_URL     another Twilio than https://api.twilio.com
  POLICY_FILE        the policy, instead of policy.yml
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
    .description("Reads the record of a Tollbreaker, acts on its accounts, and tries one that runs locally.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.tell(text.trimEnd()),
    })
    .showHelpAfterError("(--help tells more)")
    .addHelpText("afterAll", `${ENVIRONMENT_HELP}\n${EXIT_HELP}`);
  const incidents = root.command("incidents").description("the record: who was suspended, why, and what followed");
  addList(incidents.command("list"), environment, terminal);
  addShow(incidents.command("show"), environment, terminal);
  addReport(incidents.command("report"), environment, terminal);
  addIncidentCommands(incidents, environment, terminal);
  addAccountCommands(root, environment, terminal);
  addTriggers(root.command("triggers"), environment, terminal);
  addDrill(root.command("drill"), environment, terminal);
  addDoctor(root.command("doctor"), environment, terminal);
  addSimulate(root.command("simulate"), environment, terminal);
  const policy = root.command("policy").description("the policy file: what trips, and what happens then");
  addPolicyCheck(policy.command("check"), environment, terminal);
  addPolicySchema(policy.command("schema"), terminal);
  const accounts = root.command("accounts").description("single subaccounts, whatever their incidents");
  addAdopt(accounts.command("adopt"), environment, terminal);
  addRaises(accounts, environment, terminal);
  addOperators(root.command("operators"), environment, terminal);
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

// Imported only when asked for: nobody writes a report every day.
function addReport(report: Command, environment: Environment, terminal: Terminal): void {
  report
    .description("one incident as Markdown, for a post-mortem or a refund request")
    .argument("<id>", "the incident's id, as the list shows it")
    .option("--out <file>", "where to write it, over what is there (default: standard output)")
    .action(async (id: string, { out }: { out?: string }) =>
      (await import("./report/report.ts")).reportIncident(await findServer(environment), id, out, terminal),
    );
}

function addDrill(drill: Command, environment: Environment, terminal: Terminal): void {
  drill
    .description("sends a rehearsal through everything that a firing goes through; nothing is suspended")
    .option("--account <sid>", "the subaccount to rehearse with (default: the first active one)", accountSid)
    .option("--json", "the stations as JSON on standard output, and nothing else there")
    .action(async (options: DrillOptions) => (await import("./drill.ts")).drillCommand(options, environment, terminal));
}

function addDoctor(doctor: Command, environment: Environment, terminal: Terminal): void {
  doctor
    .description("looks at everything that must be right, says what it saw and how to mend it; changes nothing")
    .option("--send", "also send a rehearsal, so that the topic and Slack are tried")
    .option("--json", "the findings as JSON on standard output, and nothing else there")
    .action(async (options: DoctorOptions) =>
      (await import("./doctor/doctor.ts")).doctorCommand(options, environment, terminal),
    );
}

function accountSid(text: string): string {
  if (isAccountSid(text)) return text;
  throw new InvalidArgumentError(
    `Expected an Account SID: AC and 32 hexadecimal digits. Got: ${JSON.stringify(text)}.`,
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

// Imported only when asked for: they make tokens and change files.
function addOperators(operators: Command, environment: Environment, terminal: Terminal): void {
  const file = "the list to change (default: the local run's)";
  operators.description("who may use the operator API");
  operators
    .command("add")
    .description("makes a token, shows it once, and stores its record or says how")
    .argument("<name>", "unique; goes into the history of everything this operator does")
    .addOption(
      new Option("--role <role>", "a viewer reads, an operator also acts").choices(ROLES).makeOptionMandatory(),
    )
    .option("--expires <time>", "from then on the token is refused, such as 2027-01-31T00:00:00Z (default: never)")
    .addOption(new Option("--expires-in <span>", "the same, counted from now, such as 90d or 12h").conflicts("expires"))
    .option("--slack <user>", "the Slack user who is this operator, such as U012ABCDEF")
    .option("--file <path>", file)
    .option("--json", "token, record and where it was stored as JSON on standard output, and nothing else there")
    .action(async (name: string, options: AddOptions) =>
      (await import("./operators.ts")).addOperator(name, options, environment, terminal),
    );
  operators
    .command("store")
    .description("adds a record that `operators add` printed elsewhere")
    .argument("<record>", "the record, in quotes")
    .option("--file <path>", file)
    .action(async (record: string, options: { file?: string }) =>
      (await import("./operators.ts")).storeOperator(record, options, environment, terminal),
    );
  operators
    .command("revoke")
    .description("takes an operator out of a list")
    .argument("<name>", "as the list shows it")
    .option("--file <path>", file)
    .action(async (name: string, options: { file?: string }) =>
      (await import("./operators.ts")).revokeOperator(name, options, environment, terminal),
    );
  operators
    .command("list")
    .description("who may use the server, and when each was last let in")
    .option("--json", JSON_HELP)
    .action(async ({ json = false }: { json?: boolean }) =>
      (await import("./operators.ts")).listOperators(await findServer(environment), json, terminal),
    );
}

const ROLES = ["viewer", "operator"];

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
  const notes = error instanceof Failure ? error.notes : [];
  const lines = [`tollbreaker: ${error.message} (${error.code})`, ...notes.map((note) => `  ${note}`)];
  return lines.map(printable).join("\n");
}

function failUnexpectedly(thrown: unknown, terminal: Terminal): Exit {
  terminal.tell(`tollbreaker: this is a fault of the command line itself: ${printable(messageOf(thrown))}`);
  return EXIT.failed;
}
