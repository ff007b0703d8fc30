import type { Delivery } from "../alerts/deliver-to-slack.ts";
import { areBlocksRefused, type SlackFailure } from "./api-failures.ts";
import type { Content, MessageAddress, PostedMessage, SlackAnswer, SlackApi } from "./web-api.ts";

export type Posting = { kind: "posted"; address: MessageAddress; as: "blocks" | "text" } | SlackFailure;

/** Posts `message`; where Slack does not like its blocks, the words alone: what happened must be told all the same. */
export async function postMessage(api: SlackApi, message: PostedMessage): Promise<Posting> {
  return insist(message, (content) => api.postMessage({ ...message, ...content }));
}

export async function updateMessage(
  api: SlackApi,
  { channel, ts }: MessageAddress,
  content: Content,
): Promise<Posting> {
  return insist(content, (shown) => api.updateMessage({ channel, ts, ...shown }));
}

async function insist(
  { text, blocks }: Content,
  say: (content: Content) => Promise<SlackAnswer<MessageAddress>>,
): Promise<Posting> {
  const answer = await say({ text, blocks });
  if (answer.kind === "ok") return { kind: "posted", address: answer.body, as: "blocks" };
  if (blocks.length === 0 || !areBlocksRefused(answer)) return answer;
  const plain = await say({ text, blocks: [] });
  return plain.kind === "ok" ? { kind: "posted", address: plain.body, as: "text" } : plain;
}

export function deliveryOf(posting: Posting): Delivery {
  return posting.kind === "posted" ? { kind: "delivered", as: posting.as } : posting;
}
