import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type DryRunResult,
  type DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  type MutantRunStatus,
  type TestRunner,
  TestStatus,
} from "@stryker-mutator/api/test-runner";
import { createVitest, type Vitest } from "vitest/node";
import { CORE } from "./core.ts";

/**
 * Stryker's own runner for vitest takes nearly all mutants for survivors with vitest 5, and a process for each takes seconds. So
 * vitest stays, what it compiled with it, and each mutant gets a new thread, whose environment says which mutant it runs.
 */
const ACTIVE_MUTANT = "__STRYKER_ACTIVE_MUTANT__";

/** A mutant made by hand, which has to be noticed before any of the others is believed to be killed, or not. */
const BY_HAND = {
  file: "lib/incidents/transitions.ts",
  line: "TRANSITIONS[from].includes(to)",
  instead: "!TRANSITIONS[from].includes(to)",
};
const ELSEWHERE = "lib/twilio/amount.ts";

interface Outcome {
  tests: number;
  /** What failed first; null when nothing did. */
  failure: string | null;
}

class VitestThreads implements TestRunner {
  static readonly inject = ["options"] as const;
  readonly #mutated: readonly string[];
  #vitest: Vitest | undefined;

  constructor({ mutate }: { mutate: readonly string[] }) {
    this.#mutated = mutate;
  }

  capabilities() {
    // Nothing of a run is left in the next one.
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    this.#vitest = await begin();
  }

  async dispose(): Promise<void> {
    await this.#vitest?.close();
  }

  /** With the mutant made by hand something fails; after it, and without one, nothing does, there or elsewhere. */
  async dryRun(): Promise<DryRunResult> {
    delete process.env[ACTIVE_MUTANT];
    const broken = await this.#runByHand();
    if (broken.failure === null) return wrong(`nothing failed with a mutant made by hand in ${BY_HAND.file}`);
    const other = await this.#run(testsOf(ELSEWHERE));
    if (other.failure !== null) return wrong(`what failed by hand is held against others: ${other.failure}`);
    const whole = await this.#run([...testsOf(BY_HAND.file), ...this.#mutated.flatMap(testsOf)]);
    if (whole.failure !== null) return wrong(`without a mutant: ${whole.failure}`);
    const tests = [{ id: "core", name: "the core's tests", timeSpentMs: 0, status: TestStatus.Success as const }];
    return { status: "complete" as DryRunStatus.Complete, tests };
  }

  async mutantRun({ activeMutant }: MutantRunOptions): Promise<MutantRunResult> {
    process.env[ACTIVE_MUTANT] = activeMutant.id;
    const { tests, failure } = await this.#run(testsOf(activeMutant.fileName));
    return failure === null
      ? { status: "survived" as MutantRunStatus.Survived, nrOfTests: tests }
      : {
          status: "killed" as MutantRunStatus.Killed,
          killedBy: ["core"],
          failureMessage: failure,
          nrOfTests: tests,
        };
  }

  async #runByHand(): Promise<Outcome> {
    const file = resolve(BY_HAND.file);
    const text = await readFile(file, "utf8");
    await this.#write(file, text.replaceAll(BY_HAND.line, BY_HAND.instead));
    try {
      return await this.#run(testsOf(BY_HAND.file));
    } finally {
      await this.#write(file, text);
    }
  }

  async #write(file: string, text: string): Promise<void> {
    await writeFile(file, text);
    this.#vitest?.invalidateFile(file);
  }

  async #run(files: readonly string[]): Promise<Outcome> {
    this.#vitest ??= await begin();
    const vitest = this.#vitest;
    const project = vitest.getRootProject();
    const paths = [...new Set(files)].map((file) => resolve(file));
    // Vitest remembers what earlier runs found.
    vitest.state.clearFiles(project, paths);
    vitest.state.clearErrors();
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(
      paths.map((path) => project.createSpecification(path)),
    );
    const run = testModules.filter(({ moduleId }) => paths.includes(moduleId));
    const tests = run.flatMap((module) => [...module.children.allTests()]);
    const failed = tests.find((test) => test.result().state === "failed");
    const isWrong = unhandledErrors.length > 0 || tests.length === 0 || run.some((module) => !module.ok());
    return { tests: tests.length, failure: failed?.fullName ?? (isWrong ? "a file of tests could not be run" : null) };
  }
}

function begin(): Promise<Vitest> {
  return createVitest("test", {
    config: resolve("vitest.config.ts"),
    watch: false,
    pool: "threads",
    maxWorkers: 1,
    bail: 1,
    reporters: [{}],
  });
}

function testsOf(file: string): readonly string[] {
  const path = Object.keys(CORE).find((one) => resolve(file).endsWith(`/${one}`));
  return path === undefined ? [] : (CORE[path] ?? []);
}

function wrong(errorMessage: string): DryRunResult {
  return { status: "error" as DryRunStatus.Error, errorMessage };
}

export const strykerPlugins = [{ kind: "TestRunner", name: "vitest-threads", injectableClass: VitestThreads }];
