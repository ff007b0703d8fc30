/** How much is measured. Every loop of the bench is bounded by one of these. */
export interface Effort {
  /** Starts of each handler, and of each handler with a first request. */
  starts: number;
  /** Firings through the handlers, for each of the four sets of delays. */
  firings: number;
  /** Firings before them that are not counted. With the firings fewer than 30: beyond, look-ups of tokens reach their bound. */
  warmUps: number;
  /** Rounds of the webhook throughput, ours and the peer's in turn. */
  rounds: number;
  /** Webhooks in each round. */
  webhooks: number;
  /** Forged webhooks of each kind in each round. */
  refusals: number;
  /** Errors in the flood that is counted. */
  flood: number;
  /** Shorter floods before it, each of another account, and the errors in each. */
  shortFloods: number;
  shortFlood: number;
  /** Rounds of two floods of forged webhooks each, and how long each flood lasts, in whole seconds. */
  floodRounds: number;
  floodSeconds: number;
  /** Firings behind what once held them up, for each of two states of SNS. */
  poisonings: number;
  /** Accounts that trip together. */
  trippingAccounts: number;
  /** Account histories for the kinds of limits, and the days of each on which false alarms are counted. */
  histories: number;
  days: number;
  /** Subaccounts of a sweep, and of the one it is compared with. */
  manySubaccounts: number;
  fewSubaccounts: number;
}

export const FULL: Effort = {
  starts: 15,
  firings: 15,
  warmUps: 5,
  rounds: 5,
  webhooks: 8000,
  refusals: 300,
  flood: 100_000,
  shortFloods: 4,
  shortFlood: 5000,
  floodRounds: 5,
  floodSeconds: 4,
  poisonings: 9,
  trippingAccounts: 1000,
  histories: 60,
  days: 28,
  manySubaccounts: 10_000,
  fewSubaccounts: 1000,
};
/** To see that the bench works; its numbers say little. */
export const QUICK: Effort = {
  starts: 1,
  firings: 1,
  warmUps: 1,
  rounds: 1,
  webhooks: 200,
  refusals: 20,
  flood: 3000,
  shortFloods: 1,
  shortFlood: 500,
  floodRounds: 1,
  floodSeconds: 1,
  poisonings: 1,
  trippingAccounts: 12,
  histories: 6,
  days: 2,
  manySubaccounts: 300,
  fewSubaccounts: 100,
};
