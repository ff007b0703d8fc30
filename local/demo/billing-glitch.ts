import type { TwilioSimulator } from "../twilio/simulator.ts";
import type { Stage, Story } from "./story.ts";
import { dollars } from "./teller.ts";
import { incidents, pause, until, type WatchedIncident } from "./watch.ts";

/** Every account trips at once and none has done anything: the brake lets few be suspended, and asks a person. */
export const billingGlitchStory: Story = {
  subaccounts: 12,
  timeFactor: 12,
  tell: async (stage) => {
    introduce(stage);
    begin(stage);
    await everyTriggerFires(stage);
    await theBrakeHolds(stage);
    const waiting = await othersWait(stage);
    await peopleAreTold(stage, waiting);
    await nothingReleasesThem(stage);

    showAll(stage, waiting);
    return waiting[0].id;
  },
};

type Waiting = readonly [WatchedIncident, ...WatchedIncident[]];

function introduce({ policy, simulator, teller: { say } }: Stage): void {
  const { suspensions, within } = policy.brake;
  say(`billing-glitch: Twilio's own figures go wrong for all ${simulator.subaccounts().length} subaccounts.`);
  say(`policy.yml: brake: at most ${suspensions} suspensions within ${within / 60_000} minutes.`);
  say();
}

function begin({ simulator, teller }: Stage): void {
  const { accounts, factor, atLeast } = simulator.startBillingGlitch();
  teller.tell(`Today's usage of ${accounts} accounts is ${factor} times as much, and ${dollars(atLeast)} at least.`);
  teller.tell("Nobody has spent any of it.");
}

async function everyTriggerFires({ simulator, teller }: Stage): Promise<void> {
  const all = simulator.subaccounts().length;
  const accounts = await until("every account's trigger fires", () => {
    const fired = new Set(simulator.deliveries().map(({ accountSid }) => accountSid));
    return fired.size === all ? fired : undefined;
  });
  teller.tell(`Twilio evaluates: usage triggers of ${accounts.size} accounts fire at the same moment.`);
}

async function theBrakeHolds({ simulator, policy, teller }: Stage): Promise<void> {
  const { suspensions } = policy.brake;
  await until("the brake is reached", () => suspended(simulator).length >= suspensions || undefined);
  teller.tell(
    `${suspended(simulator).length} accounts are suspended, one after the other. Without a brake all of them would be.`,
  );
}

/** The incidents of the accounts that the brake kept running. */
async function othersWait({ system, simulator, policy, teller }: Stage): Promise<Waiting> {
  const expected = simulator.subaccounts().length - policy.brake.suspensions;
  const waiting = await until("the others wait", async () => {
    const held = (await incidents(system)).filter(isHeld);
    return held.length === expected ? held : undefined;
  });
  const [first, ...rest] = waiting;
  if (first === undefined) throw new Error("There is no account that has to wait.");
  teller.tell(`The brake holds: ${waiting.length} accounts go on as before, and wait for a person.`);
  return [first, ...rest];
}

const isHeld = ({ state, alerts }: WatchedIncident): boolean =>
  state === "alerted" && alerts.some(({ because }) => because === "brake");

async function peopleAreTold({ slack, teller }: Stage, waiting: Waiting): Promise<void> {
  const aboutBrake = () => slack.filter((lines) => lines.some((line) => /\bbrake\b/i.test(line)));
  await until(
    "an alert names every account that waits",
    () =>
      waiting.every(({ accountSid }) => aboutBrake().some((lines) => lines.join("\n").includes(accountSid))) ||
      undefined,
  );
  const alerts = aboutBrake();
  if (alerts.length >= waiting.length) throw new Error("Each waiting account had an alert of its own.");
  teller.tell(
    alerts.length === 1 ? "Slack is told, once for all of them:" : `Slack is told, in ${alerts.length} messages:`,
  );
  for (const lines of alerts) teller.quote(lines);
}

async function nothingReleasesThem({ simulator, policy, teller }: Stage): Promise<void> {
  await pause(3000);
  const now = suspended(simulator).length;
  if (now !== policy.brake.suspensions) throw new Error(`${now} accounts are suspended: the brake did not hold.`);
  teller.tell(`Seconds later still ${now}: nothing releases the others but an operator.`);
  teller.say();
}

function showAll({ simulator, teller: { say, row } }: Stage, waiting: Waiting): void {
  const waits = new Map(waiting.map(({ accountSid, id }) => [accountSid, id]));
  say("The accounts, with what Twilio says they spent");
  for (const { accountSid, friendlyName, spentToday, status } of simulator.subaccounts()) {
    const incident = waits.get(accountSid);
    row(friendlyName, dollars(spentToday), incident === undefined ? status : `${status}, waits: incident ${incident}`);
  }
  say();
}

const suspended = (simulator: TwilioSimulator) =>
  simulator.subaccounts().filter(({ status }) => status === "suspended");
