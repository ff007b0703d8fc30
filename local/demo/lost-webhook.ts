import { once } from "node:events";
import { createServer } from "node:net";
import { systemClock } from "../../lib/clock.ts";
import type { AccountSummary } from "../twilio/summary.ts";
import { showOthers } from "./others.ts";
import type { Setting, Stage, Story } from "./story.ts";
import { dollars } from "./teller.ts";
import { firstSubaccount, incidentOf, slackAbout, until, type WatchedIncident, wasAlerted } from "./watch.ts";

/** A webhook that is on its way for a while is not lost yet: the sweep waits 90 seconds, the demo does not. */
const BEHIND_MS = 120_000;
const SWEEP_SECONDS = "3";

/** Every webhook is dropped on the way, and nobody hears of the attack; the sweep finds the firing, and it is enforced. */
export const lostWebhookStory: Story = {
  subaccounts: 4,
  timeFactor: 12,
  prepare: cutLine,
  tell: async (stage) => {
    const { simulator, teller } = stage;
    const victim = firstSubaccount(simulator);
    const others = simulator.subaccounts().slice(1);
    teller.say(`lost-webhook: nothing that Twilio sends arrives. The sweep runs every ${SWEEP_SECONDS} seconds here.`);
    teller.say(
      "Twilio's clock is two minutes behind, so that a webhook counts as lost at once, and not after 90 seconds.",
    );
    teller.say();

    attack(stage, victim);
    await nobodyHears(stage, victim);
    const incident = await theSweepFindsIt(stage, victim);
    teller.say();
    showOthers(teller, simulator, others);
    return incident.id;
  },
};

/** A line that is cut: it takes each connection, and drops it. */
async function cutLine(): Promise<Setting> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const behind = { ...systemClock, now: () => new Date(Date.now() - BEHIND_MS) };
  return {
    environment: { PUBLIC_URL: `http://127.0.0.1:${port}`, SWEEP_SECONDS },
    simulator: { clock: behind },
    close: async () => void server.close(),
  };
}

function attack({ simulator, timeFactor, teller }: Stage, victim: AccountSummary): void {
  teller.tell(`${victim.friendlyName} (${victim.accountSid}) is attacked: 13,000 texts at $0.30.`);
  simulator.startAttack(victim.accountSid, { kind: "sms-pumping", timeFactor });
}

async function nobodyHears({ simulator, teller }: Stage, victim: AccountSummary): Promise<void> {
  const isOfVictim = ({ accountSid }: { accountSid: string }) => accountSid === victim.accountSid;
  const lost = await until("Twilio's webhook is dropped", () =>
    simulator.deliveries().find((delivery) => isOfVictim(delivery) && delivery.outcome.kind !== "answered"),
  );
  const { UsageCategory, CurrentValue } = lost.form;
  teller.tell(`Its usage trigger fires (${UsageCategory} at ${CurrentValue}), and its webhook is dropped on the way.`);
  teller.tell(
    `Twilio fires a trigger once in its period: nobody hears of it before midnight. ${spent(simulator, victim)}`,
  );
}

function spent(simulator: Stage["simulator"], { accountSid }: AccountSummary): string {
  return `Spent: ${dollars(simulator.account(accountSid).spentToday)}.`;
}

async function theSweepFindsIt(stage: Stage, victim: AccountSummary): Promise<WatchedIncident> {
  const { system, simulator, slack, teller } = stage;
  const isSuspended = () => simulator.account(victim.accountSid).status === "suspended" || undefined;
  await until("the sweep finds the firing and the account is suspended", isSuspended);
  simulator.stopAttack(victim.accountSid);
  teller.tell(
    `The sweep reads each account's triggers, and finds one that fired and never came in. Suspended. ${spent(simulator, victim)}`,
  );
  const isTold = (one: WatchedIncident) => one.state === "suspended" && wasAlerted(one, "suspended");
  const incident = await incidentOf(system, victim, "the incident is on record", isTold);
  teller.tell(`What tripped: ${incident.rule}. ${incident.reason}.`);
  teller.tell("Slack is told:");
  teller.quote(await until("Slack hears of it", () => slackAbout(slack, victim, /^\W*suspended\b/i)));
  return incident;
}
