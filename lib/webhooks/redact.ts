import { cut } from "../cut.ts";

/**
 * Twilio's short message of an error, fit to be kept with an incident and shown to anyone: at most 200 characters of
 * plain text without credentials, addresses, SIDs and whole numbers. It may say less than it could; it must not say more.
 */
export function redact(message: string): string {
  const plain = asPlainText(cut(message, MOST_READ), message.length > MOST_READ);
  const words = withoutAuthorization(plain).split(" ").map(shortenWord).join(" ");
  const kept = STEPS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), words);
  return cut(kept.replace(NUMBER, prefixOf), MOST_KEPT).trim();
}

const MOST_KEPT = 200;
/** More is not looked at, so that a long message costs no more than a short one. */
const MOST_READ = 4000;

// Look-alike digits become digits, and what is invisible goes: neither may hide a number from the patterns below.
function asPlainText(text: string, isCut: boolean): string {
  const visible = text.normalize("NFKC").replace(/\p{Cf}/gu, "");
  const plain = visible.replace(/[\p{C}\p{Z}<>]+/gu, " ").trim();
  // Half a token at the cut would pass for an ordinary word.
  return isCut ? plain.slice(0, plain.lastIndexOf(" ") + 1) : plain;
}

/** Some schemes have parameters after them, with spaces: nothing that follows is worth the risk. */
function withoutAuthorization(text: string): string {
  const start = text.search(/authori[sz]ation["']?\s*[:=]/i);
  return start === -1 ? text : `${text.slice(0, start)}authorization: …`;
}

function shortenWord(word: string): string {
  const scheme = word.search(/[a-z][a-z0-9+.-]*:\/\//i);
  const shown = scheme === -1 ? word : `${word.slice(0, scheme)}${shortenUrl(word.slice(scheme))}`;
  return shown.includes("@") ? "(address)" : shown;
}

// Without userinfo, query and fragment: they hold credentials and parameters.
function shortenUrl(url: string): string {
  const [address = ""] = url.split(/[?#]/);
  const hostAt = address.indexOf("://") + 3;
  const [authority = "", ...path] = address.slice(hostAt).split("/");
  const shown = [authority.slice(authority.lastIndexOf("@") + 1), ...path].join("/");
  return `${address.slice(0, hostAt)}${shown}${address === url ? "" : "?…"}`;
}

const SECRET_NAMES = "token|secret|passw(?:or)?d|passphrase|pwd|api[ _-]?key|key|signature|credentials?|cookie|session";

const STEPS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\b(basic|bearer|digest) +\S+/gi, "$1 …"],
  [new RegExp(`((?:${SECRET_NAMES})["']?) *[:=] *(?:"[^"]*"?|'[^']*'?|\\S+)`, "gi"), "$1=…"],
  // A SID says more than its kind to whoever knows the account; the event's own SID is kept beside the message.
  [/\b([A-Z]{2})[0-9a-fA-F]{32}(?![0-9a-zA-Z])/g, "$1…"],
  // Tokens, hashes, base64: long, and with a digit in it or very long.
  [/(?=[\w+/=-]*\d)[\w+/=-]{16,}/g, "…"],
  [/[\w+/=-]{32,}/g, "…"],
  [/\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b/g, "$1.…"],
  [/(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}/gi, "…"],
];

/** Seven digits or more, whatever stands between them. */
const NUMBER = /\+?\p{Nd}(?:[ ().\-‐-―/]{0,3}\p{Nd}){6,}/gu;

// Enough to tell the country and the network; at least four digits stay hidden.
function prefixOf(number: string): string {
  const digits = number.match(/\p{Nd}/gu) ?? [];
  const prefix = digits.slice(0, Math.min(6, digits.length - 4)).join("");
  return `${number.startsWith("+") ? "+" : ""}${prefix}…`;
}
