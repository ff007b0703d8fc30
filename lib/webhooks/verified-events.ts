import { isAccountSid } from "../twilio/sids.ts";
import { isTextSignedWith } from "../twilio/signature.ts";
import { parseJson, property } from "./error-event.ts";
import { decodeUtf8, type ReceivedRequest } from "./receive-webhook.ts";
import { findSigner } from "./signer.ts";
import type { SigningTokens } from "./signing-tokens.ts";

/** A delivery of Event Streams, known to come from Twilio: https://www.twilio.com/docs/events/webhook-quickstart */
export type EventsVerification =
  /** `events` are undefined where the body is not JSON. By a subaccount: about that account alone. */
  | { kind: "verified"; events: readonly unknown[] | undefined; signedBy: "subaccount" | "parent"; signer: string }
  | { kind: "refused"; why: string }
  | { kind: "undecided" };

/** Nothing of the request is used before its signature matches, but the SIDs that say which tokens to try. */
export async function verifyEvents(
  tokens: SigningTokens,
  parentSid: string,
  { body, url, signature }: ReceivedRequest,
): Promise<EventsVerification> {
  if (signature === undefined || signature === "") return { kind: "refused", why: "unsigned" };
  const text = decodeUtf8(body);
  if (text === undefined) return { kind: "refused", why: "not-utf8" };
  const events = eventsIn(text);
  const accountSid = onlyAccount(events) ?? parentSid;

  const signer = await findSigner(tokens, { accountSid, parentSid }, (authToken) =>
    isTextSignedWith(authToken, signature, { url, text }),
  );
  if (signer.kind !== "signed") return signer;
  const { by } = signer;
  return { kind: "verified", events, signedBy: by, signer: by === "parent" ? parentSid : accountSid };
}

// An array, though documented as holding one event for now; or the event itself.
function eventsIn(text: string): readonly unknown[] | undefined {
  const content = parseJson(text);
  if (content === undefined) return undefined;
  return Array.isArray(content) ? content : [content];
}

/** The one account that all events are about; undefined when there is none, or more than one: then only the parent speaks. */
function onlyAccount(events: readonly unknown[] = []): string | undefined {
  const claimed = events.map(accountOf).filter((sid) => sid !== undefined);
  const [accountSid, ...others] = new Set(claimed);
  return others.length === 0 ? accountSid : undefined;
}

/** The account that an event says it is about. */
export function accountOf(event: unknown): string | undefined {
  const sid = property(property(event, "data"), "account_sid");
  return typeof sid === "string" && isAccountSid(sid) ? sid : undefined;
}
