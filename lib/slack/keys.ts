/** How what Slack needs lies in the one table (lib/incidents/keys.ts). Both expire by TTL. */

/** Where an incident's message is in Slack. */
export const messageKey = (incidentId: string) => ({ pk: `SLACK#${incidentId}`, sk: "SLACK" });
/** A signed request of Slack's that was handled, by its signature. */
export const requestKey = (signature: string) => ({ pk: `SLACK-REQUEST#${signature}`, sk: "SLACK-REQUEST" });
