import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { parse, stringify } from "node:querystring";

/** A form as received: each name with all its values, in the order they came. */
export type Form = ReadonlyMap<string, readonly string[]>;

export interface SignedForm {
  /** The full URL that Twilio was told: our public base URL, the path, and the query as received. */
  url: string;
  form: Form;
}

/**
 * Whether a request was signed with `authToken`. Made once for each request: what does not depend on the token is done
 * once. A token costs at most one hash for each address that Twilio may have signed; one that was tried before, none.
 */
export type SignatureCheck = (authToken: string) => boolean;

/**
 * Checks the X-Twilio-Signature header of a form POST: https://www.twilio.com/docs/usage/security#validating-requests.
 * Compares in constant time, never throws; an empty or missing header matches nothing, and so does an empty token.
 */
export function formCheck(signature: string | undefined, { url, form }: SignedForm): SignatureCheck {
  return checkOf(signature, url, parametersOf(form));
}

/** The X-Twilio-Signature of a form POST, as Twilio would make it: for the simulator, the tests and the drill. */
export function signForm(authToken: string, { url, form }: SignedForm): string {
  return sign(authToken, url, parametersOf(form));
}

export interface SignedText {
  /** As for a form; its query must hold `bodySHA256`. */
  url: string;
  /** The body, decoded without losing a byte, or its bytes. */
  text: string | Uint8Array;
}

/**
 * Checks the header of a body that is no form: the URL is signed, and its `bodySHA256` is the hash of the body. Without
 * that parameter nothing speaks for the body, so it is a mismatch. The body is hashed only where the URL was rightly
 * signed: a stranger's costs no more than its address.
 * https://www.twilio.com/docs/usage/security#validating-requests
 */
export function textCheck(signature: string | undefined, { url, text }: SignedText): SignatureCheck {
  const isUrlSigned = checkOf(signature, url, NO_PARAMETERS);
  let isTextMeant: boolean | undefined;
  return (authToken) => {
    if (!isUrlSigned(authToken)) return false;
    isTextMeant ??= isSame(URL.parse(url)?.searchParams.get("bodySHA256") ?? "", sha256(text));
    return isTextMeant;
  };
}

/** The URL and the X-Twilio-Signature with which Twilio would send `text` to `url`. */
export function signText(authToken: string, { url, text }: SignedText): { url: string; signature: string } {
  const signedUrl = `${url}${url.includes("?") ? "&" : "?"}bodySHA256=${sha256(text)}`;
  return { url: signedUrl, signature: sign(authToken, signedUrl, NO_PARAMETERS) };
}

/** Reads `application/x-www-form-urlencoded` text. Repeated names keep all their values; nothing is trimmed. */
export function parseForm(text: string): Form {
  const form = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) {
    const values = form.get(name);
    if (values === undefined) form.set(name, [value]);
    else values.push(value);
  }
  return form;
}

const NO_PARAMETERS = Buffer.alloc(0);

function checkOf(signature: string | undefined, url: string, parameters: Buffer): SignatureCheck {
  if (signature === undefined || signature === "") return () => false;
  const verdicts = new Map<string, boolean>();
  return (authToken) => {
    if (authToken === "") return false;
    const verdict = verdicts.get(authToken) ?? isSigned(authToken, signature, { url, parameters });
    verdicts.set(authToken, verdict);
    return verdict;
  };
}

/** More than a usage trigger sends: a debugger's event, whose address is ours, without a query that people write. */
const LARGE_BYTES = 32 * 1024;
/** As received and with either port, at least. */
const LIKELY_ADDRESSES = 6;

function isSigned(authToken: string, signature: string, signed: { url: string; parameters: Buffer }): boolean {
  const addresses = addressesOf(signed.url);
  const tried = signed.parameters.length > LARGE_BYTES ? addresses.take(LIKELY_ADDRESSES) : addresses;
  return tried.some((address) => isSame(signature, sign(authToken, address, signed.parameters)));
}

function sign(authToken: string, url: string, parameters: Buffer): string {
  return createHmac("sha1", authToken).update(url).update(parameters).digest("base64");
}

/** What is signed of a form: by name, each name with its values; of a repeated one the different values, in order. */
function parametersOf(form: Form): Buffer {
  const byName = [...form].sort(([one], [other]) => (one < other ? -1 : 1));
  const pairs = byName.flatMap(([name, values]) => [...new Set(values)].sort().map((value) => name + value));
  return Buffer.from(pairs.join(""));
}

/**
 * The addresses that Twilio may have signed for a request that came to `url`, each once, the likely ones first. Twilio
 * signs some with and some without their port, the SDKs accept several ways to escape them, and on its way to us a
 * query may be escaped anew. As each is hashed with the token, one more lets nobody in who does not hold it.
 */
function* addressesOf(url: string): Generator<string> {
  const start = url.indexOf("?");
  const [beforeQuery, query] = start === -1 ? [url, ""] : [url.slice(0, start), url.slice(start)];
  const bases = new Set(basesOf(beforeQuery));
  const queries = new Set<string>();
  for (const form of QUERY_FORMS) {
    const written = form(query);
    if (queries.has(written)) continue;
    queries.add(written);
    for (const base of bases) yield base + written;
  }
}

/** What comes before the query: as received, without the port, with it; and the same as the URL standard writes it. */
function basesOf(received: string): string[] {
  const normal = URL.parse(received)?.href ?? received;
  return [received, normal].flatMap((base) => [base, withoutPort(base), withPort(base)]);
}

/** The authority's parts; a colon starts the port only behind the bracket of an IPv6 address. */
const AUTHORITY =
  /^(?<scheme>[a-z][a-z0-9+.-]*:\/\/)(?<host>(?:[^/?#]*@)?(?:\[[^\]/?#]*\]|[^:/?#]*))(?<port>:[^/?#]*)?/i;

function withoutPort(base: string): string {
  return base.replace(AUTHORITY, "$<scheme>$<host>");
}

function withPort(base: string): string {
  const { scheme = "", port } = AUTHORITY.exec(base)?.groups ?? {};
  if (port !== undefined) return base;
  return base.replace(AUTHORITY, `$<scheme>$<host>${scheme.toLowerCase() === "https://" ? ":443" : ":80"}`);
}

/** Percent signs of all escapes but those of `! $ ' ( ) * , / : ; ? @ ~`: these may stand in a query (RFC 3986), and separate nothing there. */
const ALL_BUT_RFC_3986 = /%(?!2[14789acf]|3[abf]|40|7e)/gi;

/**
 * How the query that came may have been written in the address that Twilio was told, and signed: whoever escapes a query
 * anew on the way escapes more than its author had to.
 */
const QUERY_FORMS: readonly ((query: string) => string)[] = [
  (query) => query,
  // Twilio's own library accepts these two.
  asUrlStandard,
  (query) => asLegacyQuerystring(asUrlStandard(query)),
  bareBut(/%(?!27)/g),
  // What encodeURIComponent leaves as it is; what a query may hold, with a plus for a space or without; and whatever
  // people type. An escaped `&`, `#` or `%` was always written so: bare it would mean something else.
  bareBut(/%(?!2[1789a]|7e)/gi),
  bareBut(ALL_BUT_RFC_3986),
  (query) => bareBut(ALL_BUT_RFC_3986)(query).replaceAll("%20", "+"),
  bareBut(/%(?![2-9a-f][0-9a-f])|%(?=2[356]|7f)/gi),
];

function asUrlStandard(query: string): string {
  const base = "https://localhost/";
  return URL.parse(query, base)?.href.slice(base.length) ?? query;
}

/** As Node's `querystring` writes it, which throws on lone surrogates. */
function asLegacyQuerystring(query: string): string {
  return query.length < 2 ? query : `?${stringify(parse(query.slice(1).toWellFormed()))}`;
}

/** Undoes all escapes but those whose percent signs `kept` finds; at once, as a stranger may send thousands. */
function bareBut(kept: RegExp): (query: string) => string {
  return (query) => {
    try {
      return decodeURIComponent(query.replace(kept, "%25"));
    } catch {
      return query;
    }
  };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  // The length of a hash is no secret.
  return a.length === b.length && timingSafeEqual(a, b);
}

function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
