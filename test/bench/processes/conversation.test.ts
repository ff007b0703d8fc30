import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Conversation, converse } from "../../../bench/processes/conversation.ts";

let directory: string;
let conversation: Conversation | undefined;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-conversation-"));
});
afterEach(() => conversation?.close());
afterAll(() => rm(directory, { recursive: true, force: true }));

async function start(code: string): Promise<Conversation> {
  const script = join(directory, "script.mjs");
  await writeFile(script, code);
  conversation = converse({ script, parameters: ["parameter"], environment: { ONLY: "this" } });
  return conversation;
}

it("hears what is said unasked, and an answer to each question", async () => {
  const process = await start(`
    process.on("message", ({ message }) => process.send({ answer: message }));
    process.send([process.argv[2], process.env.ONLY, process.env.PATH === undefined]);
  `);
  expect(await process.hear()).toEqual(["parameter", "this", true]);
  expect(await process.ask("one")).toEqual({ answer: "one" });
  expect(await process.ask({ two: 2 })).toEqual({ answer: { two: 2 } });
});

it("says that the process ended, instead of waiting for it", async () => {
  const process = await start(`process.on("message", () => process.exit(3));`);
  await expect(process.ask("anything")).rejects.toMatchObject({ code: "bench-process-failed", got: "exit code 3" });
});

it("can be closed twice, and after the process has ended", async () => {
  const process = await start("process.exit(0)");
  await expect(process.hear()).rejects.toMatchObject({ code: "bench-process-failed" });
  process.close();
  process.close();
});
