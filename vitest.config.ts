import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** At another date than today's: see test/dates.ts. */
const isShifted = process.env["CLOCK_AT"] !== undefined;

// Most of what a short process does is to compile what it loads, which is the same in each: the workers', and those that
// tests start, such as the command line.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.vite/compiled", import.meta.url));

/** Where nothing is known of earlier runs, the largest files come first: these are small, and take a minute each. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => /-killed|\/histories\/|\/bench\/main/.test(moduleId);
    return (await super.sort(files)).toSorted((one, other) => Number(isLong(other)) - Number(isLong(one)));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Only ends what hangs: a machine may be busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most tests wait for sockets and not for the processor: of two cores two workers leave a quarter idle.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    execArgv: isShifted ? [`--import=${new URL("test/support/shift-clock.ts", import.meta.url)}`] : [],
  },
});
