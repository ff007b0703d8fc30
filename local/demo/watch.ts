import * as z from "zod/mini";
import { IncidentView } from "../../cli/incident-view.ts";
import type { System } from "../system.ts";
import type { TwilioSimulator } from "../twilio/simulator.ts";
import type { AccountSummary } from "../twilio/summary.ts";

const PATIENCE_MS = 20_000;

/** The first thing that `look` finds. @throws Error naming `what` when it does not come about. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    const looking = look();
    const seen = await looking;
    if (seen !== undefined) return seen;
    // What has to be fetched shares its processor with what is waited for.
    await pause(looking instanceof Promise ? 100 : 10);
  }
  throw new Error(`The demo waited ${PATIENCE_MS / 1000} s in vain for this: ${what}.`);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const Alert = z.object({ about: z.string(), because: z.nullable(z.string()), publishedAt: z.nullable(z.string()) });
const Incident = z.extend(IncidentView, { alerts: z.array(Alert) });
export type WatchedIncident = z.infer<typeof Incident>;
const Listing = z.object({ incidents: z.array(Incident) });

/** All incidents, newest first, as the operator API shows them. */
export async function incidents({ url, operatorToken }: System): Promise<WatchedIncident[]> {
  const headers = { authorization: `Bearer ${operatorToken}` };
  const answer = await fetch(`${url}/api/incidents?limit=100`, { headers });
  return Listing.parse(await answer.json()).incidents;
}

/** The account's incident once `isTold` holds for it. */
export function incidentOf(
  system: System,
  { accountSid }: AccountSummary,
  what: string,
  isTold: (incident: WatchedIncident) => boolean,
): Promise<WatchedIncident> {
  return until(what, async () =>
    (await incidents(system)).find((incident) => incident.accountSid === accountSid && isTold(incident)),
  );
}

export const wasAlerted = ({ alerts }: WatchedIncident, about: string): boolean =>
  alerts.some((alert) => alert.about === about && alert.publishedAt !== null);

/** The first message to Slack that names the account and matches. */
export function slackAbout(
  slack: readonly (readonly string[])[],
  { accountSid }: AccountSummary,
  pattern: RegExp,
): readonly string[] | undefined {
  return slack.find((lines) => pattern.test(lines[0] ?? "") && lines.some((line) => line.includes(accountSid)));
}

/** The subaccount that the story is about. */
export function firstSubaccount(simulator: TwilioSimulator): AccountSummary {
  const [first] = simulator.subaccounts();
  if (first === undefined) throw new Error("the simulated Twilio has no subaccount");
  return first;
}
