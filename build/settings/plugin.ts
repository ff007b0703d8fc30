import { join } from "node:path";
import { messageOf, TollbreakerError } from "../../lib/errors.ts";
import { loadPolicy } from "../../lib/policy/load-policy.ts";
import { useExistingTable } from "./existing-table.ts";
import { checkNamedTable } from "./named-table.ts";
import { readSettings } from "./read-settings.ts";
import { NONE, type Settings, settingOf, settingsFrom } from "./settings.ts";
import { settingsOfTemplate } from "./settings-of-template.ts";
import { loadStageFile, missingStageFile } from "./stage-file.ts";
import { type AwsProvider, templateOfDeployment, templateOfStack } from "./templates-on-aws.ts";
import { announcement, changesBetween, changesOfDeployment, inWords, type Subject } from "./words.ts";

/** The part of Serverless that this uses. */
export interface Serverless {
  /** Where serverless.yml is. */
  serviceDir: string;
  classes: { Error: new (message: string, code: string) => Error };
  processedInput: {
    commands: readonly string[];
    isHelpRequest?: boolean;
    options: { stage?: string; param?: readonly string[]; timestamp?: string };
  };
  configurationInput: { params?: unknown; provider: { stage: string } };
  service: { service: string; provider: { compiledCloudFormationTemplate: { Resources: Record<string, unknown> } } };
  getProvider(name: "aws"): AwsProvider;
}

interface Writers {
  log: { notice(format: string, text: string): void };
}

/** They act on what is deployed, and must work whatever the stage file says now. */
const WITHOUT_SETTINGS = new Set(["info", "logs", "metrics", "remove", "deploy list", "deploy list functions"]);
const ANNOUNCED = new Set(["package", "deploy", "deploy function"]);

/**
 * Gives serverless.yml the settings of its stage as `${setting:NAME}`: those of stages/<stage>.yml, with --param on top,
 * all of them checked. Says what is packaged, what a deployment changes, and stops a rollback that would change more than
 * its code unasked.
 */
export class SettingsPlugin {
  readonly configurationVariablesSources = {
    setting: { resolve: ({ address }: { address: string | null }) => ({ value: this.#valueOf(address ?? "") }) },
  };
  readonly hooks = {
    initialize: () => this.#orPlainError(() => this.#announce()),
    "after:aws:package:finalize:mergeCustomProviderResources": () => this.#orPlainError(() => this.#placeTable()),
    "before:aws:deploy:deploy:createStack": () => this.#orPlainError(() => this.#beforeDeployment()),
    "before:rollback:rollback": () => this.#orPlainError(() => this.#beforeRollback()),
  };
  readonly #serverless: Serverless;
  readonly #log: Writers["log"];
  readonly #command: string;
  #subject: Omit<Subject, "policyMode"> | undefined;

  constructor(serverless: Serverless, _options: unknown, { log }: Writers) {
    this.#serverless = serverless;
    this.#log = log;
    const { commands, isHelpRequest = false } = serverless.processedInput;
    this.#command = commands.join(" ");
    if (isHelpRequest || WITHOUT_SETTINGS.has(this.#command)) return;
    try {
      this.#subject = this.#readSubject();
    } catch (error) {
      throw this.#plain(error);
    }
  }

  /** @throws TollbreakerError `stage-settings-invalid`, `stage-file-missing`, `stage-file-unreadable` */
  #readSubject(): Omit<Subject, "policyMode"> {
    const { serviceDir, processedInput, configurationInput } = this.#serverless;
    const stage = processedInput.options.stage ?? configurationInput.provider.stage;
    const { name: fileName, text } = loadStageFile(serviceDir, stage);
    const reading = readSettings({ text, fileName, params: processedInput.options.param ?? [] });
    const problems = [...(reading.kind === "wrong" ? reading.problems : []), ...this.#oldParams(fileName)];
    if (reading.kind === "wrong" || problems.length > 0) throw invalid(stage, problems);
    if (text === undefined && this.#command.startsWith("deploy")) throw missingStageFile(serviceDir, stage);
    return { ...reading, stage, fileName, hasFile: text !== undefined };
  }

  /** Once they were the place for settings; now nothing reads them. */
  #oldParams(fileName: string): string[] {
    if (this.#serverless.configurationInput.params === undefined) return [];
    return [`serverless.yml params: Nothing reads them. Write your settings in ${fileName}, and remove \`params\`.`];
  }

  #valueOf(name: string): string {
    const setting = settingOf(name);
    if (setting === undefined) throw new Error(`There is no setting ${name}: build/settings/settings.ts has them all`);
    // In the template what there is none of is empty.
    const value = new Map<string, string>(Object.entries(this.#settings())).get(name) ?? setting.fallback;
    return value === NONE ? "" : value;
  }

  #settings(): Settings {
    return this.#subject?.settings ?? settingsFrom(() => undefined);
  }

  #announce(): void {
    if (this.#subject === undefined || !ANNOUNCED.has(this.#command)) return;
    const { mode: policyMode } = loadPolicy({ POLICY_FILE: join(this.#serverless.serviceDir, "policy.yml") });
    this.#say(announcement({ ...this.#subject, policyMode }));
  }

  #placeTable(): void {
    const { table } = this.#settings();
    const { provider } = this.#serverless.service;
    if (table === NONE) return;
    provider.compiledCloudFormationTemplate = useExistingTable(provider.compiledCloudFormationTemplate, table);
  }

  /** With `--package`, the template may be of another day and other settings. */
  async #beforeDeployment(): Promise<void> {
    const going = settingsOfTemplate(this.#serverless.service.provider.compiledCloudFormationTemplate);
    if (going === undefined) throw new Error("the packaged template has no responder");
    this.#demandSaid(going, "What is to be deployed was packaged with other settings", "package it again");
    if (going.table !== NONE) await this.#checkTable(going.table);
    await this.#sayWhatChanges(going);
  }

  async #beforeRollback(): Promise<void> {
    const { timestamp } = this.#serverless.processedInput.options;
    if (timestamp === undefined) return;
    const { service } = this.#serverless.service;
    const then = settingsOfTemplate(await templateOfDeployment(this.#aws(), service, timestamp));
    // Serverless says itself that it finds none of that time.
    if (then === undefined) return;
    this.#demandSaid(
      then,
      `A rollback brings back the settings of that deployment with its code, and those of ${timestamp} differ`,
      "to keep today's settings, revert the commit that is at fault and deploy",
    );
    await this.#sayWhatChanges(then);
  }

  /** @throws TollbreakerError `settings-unsaid`: other settings would take effect than the file and --param say */
  #demandSaid(going: Settings, what: string, otherwise: string): void {
    const changes = changesBetween(this.#settings(), going);
    if (changes.length === 0) return;
    const params = changes.map(({ name, to }) => `--param="${name}=${to}"`).join(" ");
    const where = this.#subject?.fileName ?? "";
    throw new TollbreakerError(
      "settings-unsaid",
      `${what}. Nothing was changed. What ${where} says would change like this:\n${changes.map(inWords).join("\n")}\n`,
      { fix: `${otherwise}; if you mean these settings, say so: the same command with ${params}` },
    );
  }

  async #sayWhatChanges(going: Settings): Promise<void> {
    try {
      const deployed = settingsOfTemplate(await templateOfStack(this.#aws()));
      this.#say(
        deployed === undefined
          ? ["Nothing is deployed yet: all of these settings are new."]
          : changesOfDeployment(deployed, going),
      );
    } catch (error) {
      this.#say([`What is deployed now could not be read, so what changes is not known: ${messageOf(error)}`]);
    }
  }

  async #checkTable(name: string): Promise<void> {
    try {
      await checkNamedTable(name, await this.#aws().getAwsSdkV3Config());
    } catch (error) {
      if (error instanceof TollbreakerError) throw error;
      this.#say([`The table ${name} could not be looked at: ${messageOf(error)}`]);
    }
  }

  #aws(): AwsProvider {
    return this.#serverless.getProvider("aws");
  }

  #say(lines: readonly string[]): void {
    // As an argument: what a person wrote may hold a `%`.
    for (const line of ["", ...lines]) this.#log.notice("%s", line);
  }

  async #orPlainError(act: () => void | Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      throw this.#plain(error);
    }
  }

  /** Serverless shows its own errors without a stack, which would hide the message. */
  #plain(error: unknown): unknown {
    if (!(error instanceof TollbreakerError)) return error;
    return new this.#serverless.classes.Error(error.message, error.code.toUpperCase().replaceAll("-", "_"));
  }
}

function invalid(stage: string, problems: readonly string[]): TollbreakerError {
  const many = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new TollbreakerError(
    "stage-settings-invalid",
    `The settings of the stage ${stage} cannot be used: ${many}.\n${problems.join("\n")}`,
  );
}
