import type { ErrorRule } from "../../lib/policy/policy.ts";
import type { AccountSummary } from "../twilio/summary.ts";
import { showOthers } from "./others.ts";
import type { Stage, Story } from "./story.ts";
import { dollars, many, type Teller } from "./teller.ts";
import { firstSubaccount, incidentOf, incidents, pause, slackAbout, until, wasAlerted } from "./watch.ts";

const RULE = "sip-probing";

/** Anyone on the internet can cause these errors, so they suspend nobody: people are told, once. */
export const sipProbingStory: Story = {
  subaccounts: 5,
  // Errors come at once, without waiting for an evaluation: there is nothing to hurry.
  timeFactor: 1,
  tell: async (stage) => {
    const { system, simulator, slack, teller } = stage;
    const probed = firstSubaccount(simulator);
    const others = simulator.subaccounts().slice(1);

    introduce(stage);
    begin(stage, probed);
    await twilioTells(stage, probed);
    const incident = await incidentOf(system, probed, "people are alerted", (one) => wasAlerted(one, "alerted"));
    if (incident.state !== "alerted") throw new Error(`The incident is ${incident.state}, not alerted.`);
    if (incident.rule !== RULE) throw new Error(`The incident is about ${incident.rule}, not ${RULE}.`);
    teller.tell(`Alerted, and nothing else: ${incident.reason}.`);
    teller.tell("Slack is told:");
    teller.quote(await until("Slack hears of it", () => slackAbout(slack, probed, /./)));
    await strangerGoesOn(stage, probed);

    sayMoney(teller, simulator.account(probed.accountSid).spentToday - probed.spentToday);
    showOthers(teller, simulator, others);
    return incident.id;
  },
};

function introduce({ policy, simulator, teller: { say } }: Stage): void {
  const { codes, count, within, then } = ruleIn(policy.errors);
  say(`${RULE} on one of ${simulator.subaccounts().length} subaccounts, as fast as in real life.`);
  say(`policy.yml: ${count} errors of ${codes.join(", ")} within ${within / 60_000} minutes: ${then}.`);
  say("It could not say `suspend`: a stranger would decide which of our customers is cut off.");
  say();
}

function ruleIn(rules: Readonly<Record<string, ErrorRule>>): ErrorRule {
  const rule = rules[RULE];
  if (rule === undefined) throw new Error(`policy.yml has no rule ${RULE}.`);
  return rule;
}

function begin({ simulator, teller }: Stage, { friendlyName, accountSid }: AccountSummary): void {
  simulator.startAttack(accountSid, { kind: "sip-probing" });
  teller.tell(`${friendlyName} (${accountSid}): a stranger tries SIP addresses and passwords, 36 a second.`);
}

async function twilioTells({ simulator, teller }: Stage, { accountSid }: AccountSummary): Promise<void> {
  const first = await until("Twilio's debugger tells us", () =>
    simulator.errorDeliveries().find((delivery) => delivery.accountSid === accountSid),
  );
  const { outcome } = first;
  if (outcome.kind !== "answered" || outcome.status !== 204) throw new Error("The webhook was not accepted.");
  const code = simulator.errors().find(({ sid }) => sid === first.eventSid)?.code;
  teller.tell(`Twilio rejects each, charges nothing, and tells us: error ${code}, then more by the second.`);
}

async function strangerGoesOn({ system, simulator, slack, teller }: Stage, probed: AccountSummary): Promise<void> {
  const { accountSid } = probed;
  await pause(4000);
  simulator.stopAttack(accountSid);
  await simulator.errorsSettled();
  const attempts = simulator.attacks().at(-1)?.blocked ?? 0;
  const told = slack.filter((lines) => lines.some((line) => line.includes(accountSid))).length;
  const opened = (await incidents(system)).filter((incident) => incident.accountSid === accountSid).length;
  const { status } = simulator.account(accountSid);
  teller.tell(
    `The stranger goes on: ${many(attempts)} attempts. ${opened} incident, ${told} alert, account ${status}.`,
  );
  if (status !== "active") throw new Error("A stranger got the account suspended.");
  if (opened !== 1 || told !== 1) throw new Error("People were told more than once of the same thing.");
  teller.say();
}

function sayMoney({ say, row }: Teller, spent: number): void {
  say("Money");
  row("spent meanwhile", dollars(spent), "the account's ordinary traffic, which nobody interrupted");
  say();
}
