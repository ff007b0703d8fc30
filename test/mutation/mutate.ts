import { Stryker } from "@stryker-mutator/core";
import { CORE } from "./core.ts";

/**
 * `npm run mutate`: how much of the pure core the tests hold. Files can be named: `npm run mutate -- lib/policy/brake.ts`.
 * One at a time, as the tests of the others would be slower for it.
 */
const LEAST_SCORE = 90;

const NOTICED: ReadonlySet<string> = new Set(["Killed", "Timeout"]);
const UNNOTICED: ReadonlySet<string> = new Set(["Survived", "NoCoverage"]);

async function mutate(): Promise<void> {
  const named = process.argv.slice(2);
  const files = named.length === 0 ? Object.keys(CORE) : named;
  const results = await new Stryker({
    mutate: files,
    testRunner: "vitest-threads",
    plugins: [new URL("runner.ts", import.meta.url).pathname],
    coverageAnalysis: "off",
    concurrency: 1,
    reporters: ["clear-text", "progress-append-only"],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    ignorePatterns: [".tollbreaker", ".serverless", ".esbuild"],
    // Not TypeScript's program interface, which TypeScript 7 does not have.
    tsconfigFile: "none",
    // A busy machine is no endless loop.
    timeoutMS: 60_000,
    tempDirName: ".stryker-tmp",
    allowConsoleColors: false,
  }).runMutationTest();
  for (const file of files) {
    const statuses = results.filter(({ fileName }) => fileName.endsWith(`/${file}`)).map(({ status }) => status);
    report(file, statuses);
  }
}

function report(file: string, statuses: readonly string[]): void {
  const noticed = statuses.filter((status) => NOTICED.has(status)).length;
  const all = noticed + statuses.filter((status) => UNNOTICED.has(status)).length;
  const score = (100 * noticed) / all;
  console.log(`${file}: ${noticed} of ${all} mutants noticed, ${score.toFixed(1)} %`);
  if (!(score >= LEAST_SCORE)) process.exitCode = 1;
}

await mutate();
