/**
 * How long our AWS clients wait. The SDK's own defaults wait for minutes; here a slow store must never hold up a
 * suspension, and a webhook must answer before Twilio gives up after 15 seconds.
 */
export const IMPATIENT = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 1500, throwOnRequestTimeout: true },
};
