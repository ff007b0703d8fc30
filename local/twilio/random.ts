import { createHash, randomUUID } from "node:crypto";

/** A stream of numbers and identifiers: the same for the same seed, another for each seed. */
export interface Random {
  /** 32 lower-case hexadecimal digits, as in Twilio's SIDs and auth tokens. */
  hex(): string;
  /** From 0 up to, but not including, `below`; whole. */
  integer(below: number): number;
}

/** Hashing a counter is slower than a generator made for it, and needs no code of our own to be trusted. */
export function randomFrom(seed: string = randomUUID()): Random {
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    return createHash("sha256").update(`${seed}:${drawn}`).digest();
  };
  return {
    hex: () => draw().toString("hex", 0, 16),
    integer: (below) => draw().readUIntBE(0, 6) % below,
  };
}

/** The end of a made-up number. */
export const fourDigits = (random: Random): string => String(random.integer(10_000)).padStart(4, "0");

/** One of `choices`, which is a list that cannot be empty. */
export function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[random.integer(choices.length)] ?? choices[0];
}

/**
 * A new SID. A seeded world that was read back from its file would otherwise make the SIDs of its first run again.
 * @param prefix Twilio's two letters for the kind of thing
 */
export function newSid(random: Random, prefix: string, taken: ReadonlyMap<string, unknown>): string {
  const sid = `${prefix}${random.hex()}`;
  return taken.has(sid) ? newSid(random, prefix, taken) : sid;
}
