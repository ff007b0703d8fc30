import { createHash, randomBytes } from "node:crypto";

/** Recognisable wherever a token turns up by mistake: in a log, a chat, a commit. */
const PREFIX = "tb_";
const BYTES = 32;

export interface NewToken {
  /** For its owner alone; nobody else ever needs it. */
  token: string;
  /** What the record holds: 64 hexadecimal digits. */
  sha256: string;
}

/** A token that nobody can guess: 256 random bits, so that its plain hash may be stored. */
export function makeToken(): NewToken {
  const token = `${PREFIX}${randomBytes(BYTES).toString("base64url")}`;
  return { token, sha256: hashOf(token).toString("hex") };
}

/** The 32 bytes of the token's SHA-256. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
