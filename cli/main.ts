#!/usr/bin/env node
import { EXIT } from "./failure.ts";
import { run } from "./program.ts";
import { terminal } from "./terminal.ts";

// A reader that has seen enough (`... | head`) closes the pipe, which is no failure; a full disk is one.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return;
  process.stderr.write(`tollbreaker: the output could not be written: ${error.message}\n`);
  process.exit(EXIT.failed);
});

// The code is set, not forced by exit(), so that everything written reaches a slow pipe first.
const { stdin, stdout, stderr, env } = process;
const seat = { input: stdin, output: stderr, interrupts: process };
process.exitCode = await run(process.argv.slice(2), env, terminal(stdout, stderr, env, seat));
