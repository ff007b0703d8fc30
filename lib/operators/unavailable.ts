import type { Problem } from "../http/problem.ts";

const FIX = "try again in a moment; if it goes on, whoever runs Tollbreaker finds the reason in the operator API's log";

/** Something that we need does not answer. */
export const UNAVAILABLE: Problem = {
  status: 503,
  code: "unavailable",
  title: "Not available now",
  detail: "Tollbreaker cannot answer this now.",
  fix: FIX,
};

/** A command could not be checked. */
export const RECORD_SILENT: Problem = {
  ...UNAVAILABLE,
  detail: "Tollbreaker cannot check this now: nothing was asked for.",
};

/** A command could not be stored. The inbox may have taken it all the same, and lost only its answer. */
export const INBOX_SILENT: Problem = {
  ...UNAVAILABLE,
  code: "command-not-stored",
  detail: "Tollbreaker could not store this, so it is not known to be on its way.",
  fix: `look at the incident first; with the same Idempotency-Key it is the same command. ${FIX}`,
};

/** A defect of ours. */
export const INTERNAL: Problem = {
  status: 500,
  code: "internal",
  title: "Something is broken",
  detail: "Tollbreaker failed on this request.",
  fix: FIX,
};
