/** What an account spends in an ordinary life, made up, the same in every run. */
export interface History {
  kind: Kind;
  /** Money spent in each five minutes, from a Monday, 00:00 GMT. */
  spent: readonly number[];
}

export const STEPS_AN_HOUR = 12;
export const STEPS_A_DAY = 24 * STEPS_AN_HOUR;

const KINDS = ["round the clock", "office hours", "evenings", "now and then", "growing", "newsletter"] as const;
type Kind = (typeof KINDS)[number];

/** Between 0 and 1, the next one at each call. */
export type Chance = () => number;

/** As many accounts of each kind; small ones and large ones, from 3 to 300 a day. */
export function makeHistories(count: number, days: number): History[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length] ?? "round the clock";
    return makeHistory(kind, days, chanceFrom(index + 1));
  });
}

function makeHistory(kind: Kind, days: number, chance: Chance): History {
  const aDay = 3 * 100 ** chance();
  const shape = shapeOf(kind, chance);
  const usual = mean(Array.from({ length: 7 * STEPS_A_DAY }, (_, step) => shape(step)));
  const noise = noiseFrom(chance);
  const spent = Array.from({ length: days * STEPS_A_DAY }, (_, step) => {
    const amount = (aDay / STEPS_A_DAY) * (shape(step) / usual) * noise(step);
    return Math.round(amount * 1e6) / 1e6;
  });
  return { kind, spent };
}

/** How busy it is, step by step; only the proportions count. */
function shapeOf(kind: Kind, chance: Chance): (step: number) => number {
  const opens = 7 + Math.floor(3 * chance());
  const lengthOfDay = 8 + Math.floor(3 * chance());
  const newsletterDay = Math.floor(5 * chance());
  const isOpen = (step: number) => hourOf(step) >= opens && hourOf(step) < opens + lengthOfDay;
  switch (kind) {
    case "round the clock":
      return (step) => 1 + 0.4 * Math.sin((2 * Math.PI * (hourOf(step) - 8)) / 24);
    case "office hours":
      return (step) => (isOpen(step) ? (dayOf(step) % 7 < 5 ? 1 : 0.1) : 0);
    case "evenings":
      return (step) => (hourOf(step) >= 17 && hourOf(step) < 22 ? 1 + (dayOf(step) % 7 >= 4 ? 1 : 0) : 0.03);
    case "now and then":
      return (step) => (isOpen(step) && chance() < 0.03 ? 1 : 0);
    case "growing":
      // Doubles within 35 days.
      return (step) => (isOpen(step) ? 1 : 0.2) * 1.02 ** dayOf(step);
    case "newsletter":
      return (step) =>
        dayOf(step) % 7 === newsletterDay && Math.floor(hourOf(step)) === 10 ? 15 : isOpen(step) ? 1 : 0.1;
  }
}

/** Some hours are busier than others, and within them some minutes: sometimes three times as busy, seldom five. */
function noiseFrom(chance: Chance): (step: number) => number {
  let hour = 1;
  return (step) => {
    if (step % STEPS_AN_HOUR === 0) hour = logNormal(0.4, chance);
    return hour * logNormal(0.5, chance);
  };
}

/** With a mean of 1: https://en.wikipedia.org/wiki/Log-normal_distribution, by the Box-Muller transform. */
function logNormal(sigma: number, chance: Chance): number {
  const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
  return Math.exp(sigma * normal - (sigma * sigma) / 2);
}

function hourOf(step: number): number {
  return (step % STEPS_A_DAY) / STEPS_AN_HOUR;
}

function dayOf(step: number): number {
  return Math.floor(step / STEPS_A_DAY);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mulberry32, a small generator: the same seed gives the same numbers on every machine. */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
