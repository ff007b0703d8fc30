/**
 * The pure core: what decides whether an account is suspended, and reads what that is decided by. To each file the tests that
 * have to notice when a line of it is wrong.
 */
export const CORE: Readonly<Record<string, readonly string[]>> = {
  "lib/decimal.ts": ["test/lib/decimal.test.ts"],
  "lib/incidents/transitions.ts": ["test/lib/incidents/transitions.test.ts"],
  "lib/policy/brake.ts": ["test/lib/policy/brake.test.ts"],
  "lib/policy/decide.ts": ["test/lib/policy/decide.test.ts"],
  "lib/policy/probation.ts": ["test/lib/policy/probation.test.ts", "test/lib/policy/stands-for.test.ts"],
  "lib/policy/stands-for.ts": ["test/lib/policy/stands-for.test.ts"],
  "lib/sweep/over-limits.ts": ["test/lib/sweep/over-limits.test.ts"],
  "lib/twilio/amount.ts": ["test/lib/twilio/amount.test.ts"],
  "lib/twilio/signature.ts": ["test/lib/twilio/signature.test.ts", "test/lib/twilio/text-signature.test.ts"],
  "lib/webhooks/signer.ts": ["test/lib/webhooks/signer.test.ts"],
  "lib/webhooks/usage-trigger-firing.ts": ["test/lib/webhooks/usage-trigger-firing.test.ts"],
};
