import { defineConfig } from "vitest/config";

/** At another date than today's: see test/dates.ts. */
const isShifted = process.env["CLOCK_AT"] !== undefined;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Only ends what hangs: a machine may be busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most tests wait for sockets and not for the processor: leaving a core free, as is usual, takes nearly twice as long.
    maxWorkers: "100%",
    execArgv: isShifted ? [`--import=${new URL("test/support/shift-clock.ts", import.meta.url)}`] : [],
  },
});
