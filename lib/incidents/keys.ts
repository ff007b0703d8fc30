/**
 * How everything lies in the one table. `pk` and `sk` are its keys; the indexes `by-state` and `by-account` sort
 * incident heads by id, which is by time. Only heads have an `id`, so only heads are in the indexes.
 */
export const BY_STATE = "by-state";
export const BY_ACCOUNT = "by-account";

export const headKey = (incidentId: string) => ({ pk: `INCIDENT#${incidentId}`, sk: "HEAD" });
export const entryKey = (incidentId: string, step: string) => ({ pk: `INCIDENT#${incidentId}`, sk: `ENTRY#${step}` });
/**
 * How a phone number was routed before `unroute-numbers`: not beside the history, which operators read whole. Of the
 * account, so that what one incident took can be given back from the next.
 */
export const routingKey = (accountSid: string, phoneNumberSid: string) => ({
  pk: `ROUTING#${accountSid}`,
  sk: phoneNumberSid,
});
/** What the next signal of an account must know: its open incident, and when it was last reactivated. */
export const accountKey = (accountSid: string) => ({ pk: `ACCOUNT#${accountSid}`, sk: "ACCOUNT" });
/** A signal that has been dealt with. Expires by TTL. */
export const seenKey = (accountSid: string, identity: string) => ({
  pk: `SEEN#${accountSid}#${identity}`,
  sk: "SEEN",
});
/** The stop on mass suspension, shared by all workers. */
export const brakeKey = { pk: "BRAKE", sk: "BRAKE" };
/** An account that waits at the brake. Expires by TTL once it waits no more. */
export const waitingKey = (accountSid: string) => ({ pk: "BRAKE-WAITING", sk: accountSid });
/** The record of a raised limit, for people: kept. @param which the limit, and when it was raised */
export const raiseKey = (accountSid: string, which: string) => ({ pk: "RAISES", sk: `${accountSid}#${which}` });
/** An account's errors that one rule of the policy counts. Expires by TTL. */
export const windowKey = (accountSid: string, rule: string) => ({ pk: `WINDOW#${accountSid}#${rule}`, sk: "WINDOW" });
/** When an operator was last let in. */
export const operatorKey = (name: string) => ({ pk: `OPERATOR#${name}`, sk: "OPERATOR" });
/** When somebody at this network address last failed to authenticate. Expires by TTL. */
export const attemptsKey = (source: string) => ({ pk: `ATTEMPTS#${source}`, sk: "ATTEMPTS" });
/** The stations of a rehearsal. Expires by TTL. */
export const drillKey = (drillId: string) => ({ pk: `DRILL#${drillId}`, sk: "DRILL" });
/** When a usage trigger last fired and was dealt with. Expires by TTL. @param firing `firingOf` it */
export const firedKey = (accountSid: string, firing: string) => ({ pk: `FIRED#${accountSid}`, sk: firing });
/** The present sweep, and what is kept from one to the next. */
export const runKey = { pk: "SWEEP", sk: "SWEEP" };
/** When this deployment began to watch. Beside the sweep, which writes it; the responder reads it, too. */
export const firstMomentKey = { pk: runKey.pk, sk: "FIRST-MOMENT" };
/** What the sweep remembers of an account. */
export const sweepKey = (accountSid: string) => ({ pk: `SWEEP#${accountSid}`, sk: "SWEEP" });
/** What an account had spent at a time (ISO 8601 UTC); the last of each hour is kept a second time, to be read without the others. Expires by TTL. */
export const sampleKey = (accountSid: string, at: string) => ({ pk: `SAMPLE#${accountSid}`, sk: at });
export const hourlySampleKey = (accountSid: string, at: string) => ({ pk: `SAMPLE#${accountSid}`, sk: `HOUR#${at}` });
