/**
 * How everything lies in the one table. `pk` and `sk` are its keys; the indexes `by-state` and `by-account` sort
 * incident heads by id, which is by time. Only heads have an `id`, so only heads are in the indexes.
 */
export const BY_STATE = "by-state";
export const BY_ACCOUNT = "by-account";

export const headKey = (incidentId: string) => ({ pk: `INCIDENT#${incidentId}`, sk: "HEAD" });
export const entryKey = (incidentId: string, step: string) => ({ pk: `INCIDENT#${incidentId}`, sk: `ENTRY#${step}` });
/** What the next signal of an account must know: its open incident, and when it was last reactivated. */
export const accountKey = (accountSid: string) => ({ pk: `ACCOUNT#${accountSid}`, sk: "ACCOUNT" });
/** A signal that has been dealt with. Expires by TTL. */
export const seenKey = (accountSid: string, identity: string) => ({
  pk: `SEEN#${accountSid}#${identity}`,
  sk: "SEEN",
});
/** The stop on mass suspension, shared by all workers. */
export const brakeKey = { pk: "BRAKE", sk: "BRAKE" };
/** An account's errors that one rule of the policy counts. Expires by TTL. */
export const windowKey = (accountSid: string, rule: string) => ({ pk: `WINDOW#${accountSid}#${rule}`, sk: "WINDOW" });
