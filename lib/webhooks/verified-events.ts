import { isAccountSid } from "../twilio/sids.ts";
import { textCheck } from "../twilio/signature.ts";
import { parseJson, property } from "./error-event.ts";
import { decodeUtf8, type ReceivedRequest } from "./receive-webhook.ts";
import { findSigner } from "./signer.ts";
import type { SigningTokens, Undecided } from "./signing-tokens.ts";
import type { Refusal } from "./verified-form.ts";

/** A delivery of Event Streams, known to come from Twilio: https://www.twilio.com/docs/events/webhook-quickstart */
export interface VerifiedEvents {
  kind: "verified";
  /** Undefined where the body is not JSON. By a subaccount: about that account alone. */
  events: readonly unknown[] | undefined;
  signedBy: "subaccount" | "parent";
  signer: string;
}

/**
 * Nothing of the request is used before its signature matches, but the SID that says which token to try: that is looked
 * for in the bytes. Decoding and parsing cost more than a stranger may make us do.
 */
export async function verifyEvents(
  tokens: SigningTokens,
  parentSid: string,
  { body, url, signature }: ReceivedRequest,
): Promise<VerifiedEvents | Refusal | Undecided> {
  if (signature === undefined || signature === "") return { kind: "refused", why: "unsigned" };
  const accountSid = onlyAccountIn(body) ?? parentSid;
  const signer = await findSigner(tokens, { accountSid, parentSid }, textCheck(signature, { url, text: body }));
  if (signer.kind !== "signed") return signer;

  const events = eventsIn(body);
  if (signer.by === "parent") return { kind: "verified", events, signedBy: "parent", signer: parentSid };
  // Written in another way than Twilio does, another account's SID is not found in the bytes.
  const isAboutOthers = (events ?? []).some((event) => (accountOf(event) ?? accountSid) !== accountSid);
  if (isAboutOthers) return { kind: "refused", why: "wrong-signature" };
  return { kind: "verified", events, signedBy: "subaccount", signer: accountSid };
}

/** The one account that all events are about; undefined when there is none, or more than one: then only the parent speaks. */
function onlyAccountIn(body: Uint8Array<ArrayBuffer>): string | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  let only: string | undefined;
  for (const [, sid] of text.matchAll(/"account_sid"\s*:\s*"(AC[0-9a-fA-F]{32})"/g)) {
    if (only !== undefined && sid !== only) return undefined;
    only = sid;
  }
  return only;
}

// An array, though documented as holding one event for now; or the event itself.
function eventsIn(body: Uint8Array<ArrayBuffer>): readonly unknown[] | undefined {
  const content = parseJson(decodeUtf8(body) ?? "");
  if (content === undefined) return undefined;
  return Array.isArray(content) ? content : [content];
}

/** The account that an event says it is about. */
export function accountOf(event: unknown): string | undefined {
  const sid = property(property(event, "data"), "account_sid");
  return typeof sid === "string" && isAccountSid(sid) ? sid : undefined;
}
