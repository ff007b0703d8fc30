import type { Message } from "../inbox/messages.ts";
import type { Sweeper } from "./sweeper.ts";

export async function putAll({ inbox }: Sweeper, messages: readonly Message[]): Promise<void> {
  for (const message of messages) await inbox.put(message);
}
