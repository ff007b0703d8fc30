#!/usr/bin/env node
import { run } from "./program.ts";
import { terminal } from "./terminal.ts";

// A reader that has seen enough (`... | head`) closes the pipe; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

// The code is set, not forced by exit(), so that everything written reaches a slow pipe first.
process.exitCode = await run(process.argv.slice(2), process.env, terminal(process.stdout, process.stderr, process.env));
