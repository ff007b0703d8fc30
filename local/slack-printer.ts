import { serve } from "@hono/node-server";
import { Hono } from "hono";
import * as z from "zod/mini";
import { type Listening, listening } from "./listening.ts";

/** The parts of Block Kit that our alerts are made of. */
const Text = z.object({ text: z.string() });
const Block = z.object({
  type: z.string(),
  text: z.optional(Text),
  fields: z._default(z.array(Text), []),
  elements: z._default(z.array(z.object({ text: z.union([z.string(), Text]), url: z.optional(z.string()) })), []),
});
const Message = z.object({ text: z.string(), blocks: z._default(z.array(Block), []) });

/** Stands in for Slack where no webhook is configured: takes what Slack takes, and prints what Slack would show. */
export async function startSlackPrinter(print: (lines: string[]) => void): Promise<Listening> {
  const app = new Hono();
  app.post("/", async (context) => {
    const message = Message.safeParse(await context.req.json().catch(() => undefined));
    if (!message.success) return context.text("invalid_payload", 400);
    const { text, blocks } = message.data;
    print(blocks.length === 0 ? [plain(text)] : blocks.flatMap(linesOf));
    return context.text("ok");
  });
  return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
}

function linesOf({ type, text, fields, elements }: z.infer<typeof Block>): string[] {
  const own = text === undefined ? [] : [plain(text.text)];
  const shown = elements.map((element) => {
    const label = typeof element.text === "string" ? element.text : element.text.text;
    return element.url === undefined ? plain(label) : `${plain(label)}: ${element.url}`;
  });
  const lines = [...own, ...fields.map((field) => plain(field.text)), ...shown];
  return type === "header" ? lines : lines.map((line) => `  ${line}`);
}

/** `*Label*` and its value, which Slack shows one below the other, on one line; Slack's three escapes undone. */
function plain(markdown: string): string {
  const oneLine = markdown.replace(/^\*(.+?)\*\n/, "$1: ").replaceAll("\n", " ");
  return oneLine.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
