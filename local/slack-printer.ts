import { serve } from "@hono/node-server";
import { Hono } from "hono";
import * as z from "zod/mini";
import { listening } from "./listening.ts";

/** Stands in for Slack where no webhook is configured: takes what Slack would take, and prints its sentence. */
export interface SlackPrinter {
  url: string;
  close(): Promise<void>;
}

const Message = z.object({ text: z.string() });

export async function startSlackPrinter(print: (text: string) => void): Promise<SlackPrinter> {
  const app = new Hono();
  app.post("/", async (context) => {
    const message = Message.safeParse(await context.req.json());
    if (!message.success) return context.text("invalid_payload", 400);
    print(message.data.text);
    return context.text("ok");
  });
  return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
}
