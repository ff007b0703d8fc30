import * as z from "zod/mini";
import type { TwilioClient } from "../../lib/twilio/client.ts";
import { withoutPauses } from "./without-pauses.ts";

/** Where the lists of an account are that lag behind what was written. */
const LISTED = ["Usage/Triggers", "Keys", "IncomingPhoneNumbers"] as const;

/**
 * The same client, whose lists show what was written or deleted through it `lagMs` late, by the clock without pauses.
 * Single resources are as they are.
 */
export function withLaggingLists(client: TwilioClient, accountSid: string, lagMs: number): TwilioClient {
  const paths = LISTED.map((list) => `/2010-04-01/Accounts/${accountSid}/${list}.json?PageSize=1000`);
  /** By path, what a list showed right before each change. */
  const before: { at: number; path: string; raw: unknown }[] = [];
  const now = () => withoutPauses.now().getTime();

  async function remember(): Promise<void> {
    for (const path of paths) {
      const answer = await client.send({ path, answer: z.unknown(), timeoutMs: 5000 });
      if (answer.kind === "ok") before.push({ at: now(), path, raw: answer.body });
    }
  }

  return {
    accountSid: client.accountSid,
    async send(request) {
      const isChange = request.form !== undefined || request.method !== undefined;
      if (isChange) await remember();
      const answer = await client.send(request);
      // What it showed then is what it showed until the next change.
      const old = before.find(({ at, path }) => path === request.path && at >= now() - lagMs);
      if (isChange || old === undefined || answer.kind === "failed") return answer;
      return { kind: "ok", body: z.parse(request.answer, old.raw) };
    },
  };
}
