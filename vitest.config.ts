import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most tests wait for sockets and not for the processor: leaving a core free, as is usual, takes nearly twice as long.
    maxWorkers: "100%",
  },
});
