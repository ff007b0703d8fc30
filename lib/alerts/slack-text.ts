// The three characters that Slack reads as its own: https://docs.slack.dev/messaging/formatting-message-text#escaping
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** `text` as Slack shows it literally, at most `limit` UTF-16 units after escaping; never cut inside an entity. */
export function escaped(text: string, limit: number): string {
  let whole = "";
  let beforeMark = "";
  for (const character of text) {
    whole += ENTITIES[character] ?? character;
    if (whole.length > limit) return `${beforeMark}…`;
    if (whole.length < limit) beforeMark = whole;
  }
  return whole;
}
