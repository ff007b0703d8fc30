import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { serve } from "@hono/node-server";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { composeAlert } from "../../lib/alerts/compose.ts";
import { readNotification } from "../../lib/alerts/read-notification.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Command } from "../../lib/inbox/commands.ts";
import { CHECK_IDS, type Check, digestOf } from "../../lib/incidents/checklist.ts";
import { checklistRead } from "../../lib/incidents/coming-back.ts";
import type { Incident } from "../../lib/incidents/incident.ts";
import { isOver } from "../../lib/incidents/transitions.ts";
import { acceptCommand } from "../../lib/operators/accept-command.ts";
import type { Wished } from "../../lib/operators/commands/wished.ts";
import { parseOperators } from "../../lib/operators/operators.ts";
import { beginningOf, incidentMessage, presentOf } from "../../lib/slack/incident-message.ts";
import { type Listening, listening } from "../../local/listening.ts";
import { type CommandRig, commandRig, commandsIn, EXEMPT, PARENT, PUBLIC_URL } from "../lib/operators/command-rig.ts";
import { CHECKLIST, incidentIn, type Wanted } from "../lib/operators/incidents-in-states.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { within } from "../support/lived-time.ts";
import {
  BOT_TOKEN,
  CHANNEL,
  type Filled,
  inputsOf,
  type OpenView,
  type Person,
  type ShownMessage,
  SIGNING_SECRET,
  type SlackServer,
  signedRequest,
  startSlackServer,
  TEAM,
} from "../support/slack-server.ts";

const NOW = new Date("2026-11-21T03:04:05Z");
const OLGA = { user: "U0OLGA" };
const VICTOR = { user: "U0VICTOR" };
const ED = { user: "U0ED" };
const SOMEBODY = { user: "U0SOMEBODY" };
const ELSEWHERE = { user: "U0OLGA", team: "T999OTHER" };
const REASON = "the leaked key is revoked";

const sha256 = (token: string) => createHash("sha256").update(token).digest("hex");
const OPERATORS = JSON.stringify([
  { name: "olga", sha256: sha256("olga"), role: "operator", slack: OLGA.user },
  { name: "victor", sha256: sha256("victor"), role: "viewer", slack: VICTOR.user },
  { name: "ed", sha256: sha256("ed"), role: "operator", slack: ED.user, expires: "2026-01-01T00:00:00Z" },
  { name: "otto", sha256: sha256("otto"), role: "operator" },
]);
const POLICY = `
mode: enforce
limits: {}
unlisted: suspend
brake: { suspensions: 5, within: 10m }
exempt:
  - { account: ${EXEMPT}, why: emergency line }
`;

// The function as it is deployed, over HTTP: a real table, a real queue, and Slack played.
let rig: CommandRig;
let slack: SlackServer;
let api: FaultProxy;
let dynamo: FaultProxy;
let server: Listening;
let directory: string;
let app: typeof import("../../handlers/slack.ts").app;
let handler: typeof import("../../handlers/slack.ts").handler;

beforeAll(async () => {
  // Time stands still: a busy machine uses up nothing of what the function allows itself for all of one request.
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  rig = await commandRig();
  slack = await startSlackServer();
  api = await startFaultProxy(slack.url);
  slack.isReachedAt(api.url);
  dynamo = await startFaultProxy(process.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "");
  directory = await mkdtemp(join(tmpdir(), "tollbreaker-slack-"));
  await writeFile(join(directory, "policy.yml"), POLICY);
  vi.stubEnv("TABLE_NAME", await tableName());
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", dynamo.url);
  vi.stubEnv("AWS_ENDPOINT_URL_SQS", rig.sqs.url);
  vi.stubEnv("INBOX_QUEUE_URL", `${rig.sqs.url}/000000000000/tollbreaker-inbox.fifo`);
  vi.stubEnv("MODE", "enforce");
  vi.stubEnv("PUBLIC_URL", PUBLIC_URL);
  vi.stubEnv("TWILIO_ACCOUNT_SID", PARENT);
  vi.stubEnv("OPERATORS", OPERATORS);
  vi.stubEnv("POLICY_FILE", join(directory, "policy.yml"));
  vi.stubEnv("SLACK_BOT_TOKEN", BOT_TOKEN);
  vi.stubEnv("SLACK_SIGNING_SECRET", SIGNING_SECRET);
  vi.stubEnv("SLACK_TEAM_ID", TEAM);
  vi.stubEnv("SLACK_API_URL", `${api.url}/api`);
  vi.stubEnv("LOG_FILE", join(directory, "log"));
  ({ app, handler } = await import("../../handlers/slack.ts"));
  server = await listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }));
});
afterEach(() => {
  api.clear();
  dynamo.clear();
  rig.emptyInbox();
  for (const list of [slack.messages, slack.views, slack.words, slack.calls]) list.splice(0);
});
afterAll(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await server.close();
  await Promise.all([api.close(), dynamo.close(), slack.close()]);
  await rig.close();
  await rm(directory, { recursive: true });
});

/** The only one that there is. */
async function tableName(): Promise<string> {
  const client = new DynamoDBClient();
  const { TableNames: [name = ""] = [] } = await client.send(new ListTablesCommand({}));
  client.destroy();
  return name;
}

/** What was logged since this was last asked. */
async function logged(): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(directory, "log"), "utf8").catch(() => "");
  await writeFile(join(directory, "log"), "");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** An incident in the record, and its message in the channel. */
async function told(wanted: Wanted): Promise<{ incident: Incident; message: ShownMessage }> {
  const incident = await incidentIn(rig, wanted);
  return { incident, message: await shownIn(incident) };
}

/** As the notify function posts it. */
async function shownIn(incident: Incident): Promise<ShownMessage> {
  const about = incident.state === "suspended" ? "suspended" : "alerted";
  const incidentUrl = `${PUBLIC_URL}/api/incidents/${incident.id}`;
  const occasion = { about, incident, incidentUrl, at: incident.updatedAt, because: incident.because } as const;
  const { alert } = readNotification(JSON.stringify(composeAlert(occasion)));
  if (alert === undefined) throw new Error("it is no incident's alert");
  const content = incidentMessage(incident.id, beginningOf(alert), presentOf(alert));
  await fetch(`${slack.apiUrl}/chat.postMessage`, {
    method: "POST",
    headers: { Authorization: `Bearer ${BOT_TOKEN}` },
    body: JSON.stringify({ channel: CHANNEL, ...content }),
  });
  const message = slack.messages.at(-1);
  if (message === undefined) throw new Error("Slack did not take it");
  return message;
}

const deliver = (request: RequestInit) => fetch(`${server.url}/slack/actions`, request);

async function press(message: ShownMessage, button: string, who: Person = OLGA) {
  return deliver(signedRequest(slack.pressed(message, button, who)));
}

async function submit(view: OpenView, values: Filled, who: Person = OLGA) {
  const response = await deliver(signedRequest(slack.submitted(view, values, who)));
  expect(response.status).toBe(200);
  const text = await response.text();
  return text === "" ? "closed" : JSON.parse(text);
}

/** Presses, and returns the form that opened. */
async function opened(message: ShownMessage, button: string): Promise<OpenView> {
  expect((await press(message, button)).status).toBe(200);
  expect(slack.words).toEqual([]);
  const view = slack.views.at(-1);
  if (view === undefined) throw new Error("no form was opened");
  return view;
}

function onlyCommand(): Command {
  const commands = commandsIn(rig);
  expect(commands).toHaveLength(1);
  const [command] = commands;
  if (command === undefined) throw new Error("there is no command");
  return command;
}

const ANSWERS = { reason: REASON, "check:api-keys": "cleanup", "check:auth-token": "acknowledge" };
const blocksOf = ({ view }: OpenView) => inputsOf(view).map(({ block_id }) => block_id);

describe("Reactivate", () => {
  it("asks for a reason and for an answer to each item that is not in order", async () => {
    const { incident, message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    expect(blocksOf(form)).toEqual(["reason", "check:api-keys", "check:auth-token", "cleanup", "countries"]);
    const shown = JSON.stringify(form.view);
    expect(shown).toContain(incident.accountSid);
    expect(shown).toContain("in order: Who suspended it, Live calls, Usage triggers");
    expect(shown).toContain("API keys: not in order");
    expect(shown).toContain("2 from before the incident, 1 made during it");
    expect(shown).toContain("Auth token: cannot tell");
  });

  it("hands the command over, closes the form, and tells the others", async () => {
    const { incident, message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const values = { ...ANSWERS, cleanup: ["unroute-numbers", "voice-countries"], countries: "us, gb" };
    expect(await submit(form, values)).toBe("closed");
    expect(onlyCommand()).toMatchObject({
      ...{ kind: "reactivate", incidentId: incident.id, accountSid: incident.accountSid },
      ...{ operator: "olga", road: "slack", reason: REASON },
      acknowledge: ["auth-token"],
      cleanup: ["api-keys", "unroute-numbers", "voice-countries"],
      countries: ["US", "GB"],
    });
    expect(slack.inThreadOf(message).map(({ text }) => text)).toEqual([
      "olga asked for the reactivation. The outcome follows here.",
    ]);
    expect(await logged()).toContainEqual(
      expect.objectContaining({ event: "command-accepted", operator: "olga", road: "slack", incident: incident.id }),
    );
  });

  it("is one command, however often its form is sent", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    await submit(form, ANSWERS);
    await submit(form, ANSWERS);
    expect(onlyCommand()).toMatchObject({ reason: REASON });
  });

  it("says beside each field what is wrong with it", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const values = { ...ANSWERS, reason: "aaaaaaaaaaaaaaa", cleanup: ["voice-countries"], countries: "XX" };
    expect(await submit(form, values)).toEqual({
      response_action: "errors",
      errors: {
        reason: expect.stringContaining("says too little"),
        countries: expect.stringContaining("ISO 3166-1"),
      },
    });
    expect(commandsIn(rig)).toEqual([]);
    // What was corrected goes through, from the same form.
    expect(await submit(form, { ...values, reason: REASON, countries: "DE" })).toBe("closed");
    expect(onlyCommand()).toMatchObject({ countries: ["DE"] });
  });

  it("shows the check-list as it is by then, and asks again, where another one was answered", async () => {
    const { incident, message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const accepting = { ...ANSWERS, "check:api-keys": "acknowledge" };
    const thief = "2 from before the incident, 2 made during it: SKthief";
    const items = CHECKLIST.map((check) => (check.id === "api-keys" ? { ...check, why: thief } : check));
    await readAnew(incident, items);
    const answer = await submit(form, accepting);
    expect(answer).toMatchObject({ response_action: "update", view: { type: "modal", callback_id: "reactivate" } });
    expect(JSON.stringify(answer.view)).toContain("SKthief");
    expect(commandsIn(rig)).toEqual([]);
    // Slack keeps what was chosen in blocks of the same name, and a view that is updated keeps its ID.
    const again: OpenView = { ...form, view: answer.view };
    const questions = blocksOf(again).filter((block) => block?.startsWith("check:"));
    expect(questions).toHaveLength(2);
    for (const block of questions) expect(blocksOf(form)).not.toContain(block);
    const [keys = "", token = ""] = questions;
    expect(await submit(again, { reason: REASON, [keys]: "cleanup", [token]: "acknowledge" })).toBe("closed");
    expect(onlyCommand()).toMatchObject({ acknowledge: ["auth-token"], cleanup: ["api-keys"], seen: items });
  });

  it("asks again as often as the list changes, and says beside each field what is wrong with it", async () => {
    const { incident, message } = await told({ state: "suspended" });
    let form = await opened(message, "reactivate");
    for (const made of [2, 3]) {
      const why = `2 from before the incident, ${made} made during it`;
      await readAnew(
        incident,
        CHECKLIST.map((check) => (check.id === "api-keys" ? { ...check, why } : check)),
      );
      const answer = await submit(form, accepted(form));
      expect(JSON.stringify(answer.view)).toContain(why);
      form = { ...form, view: answer.view };
    }
    const short = { ...accepted(form), reason: "aaaaaaaaaaaaaaaa" };
    expect(await submit(form, short)).toMatchObject({
      response_action: "errors",
      errors: { reason: expect.any(String) },
    });
    expect(await submit(form, accepted(form))).toBe("closed");
  });

  it("takes no answers of a form that does not say which list it showed", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const { checklist: _, ...target } = JSON.parse(form.view.private_metadata ?? "");
    const old = { ...form, view: { ...form.view, private_metadata: JSON.stringify(target) } };
    expect(await submit(old, accepted(old))).toMatchObject({ response_action: "update" });
    expect(commandsIn(rig)).toEqual([]);
  });

  /** All of the form's questions, left as they are. */
  function accepted(form: OpenView): Filled {
    const questions = blocksOf(form).flatMap((block) => (block?.startsWith("check:") ? [block] : []));
    return { reason: REASON, ...Object.fromEntries(questions.map((block) => [block, "acknowledge"])) };
  }

  async function readAnew({ id }: Incident, items: readonly Check[]): Promise<void> {
    const found = await rig.store.load(id);
    if (found === undefined) throw new Error("there is no such incident");
    await rig.store.save(checklistRead(found, { readAt: NOW.toISOString(), items }, null));
  }

  it("says in words what has changed since it was opened", async () => {
    const { message } = await told({
      state: "suspended",
      checklist: CHECKLIST.map((one) => ({ ...one, answer: "done" })),
    });
    const form = await opened(message, "reactivate");
    expect(blocksOf(form)).toEqual(["reason", "cleanup", "countries"]);
    const other = await incidentIn(rig, { state: "suspended" });
    const target = JSON.stringify({ incidentId: other.id, accountSid: other.accountSid, message: null });
    const answer = await submit({ ...form, view: { ...form.view, private_metadata: target } }, { reason: REASON });
    expect(answer).toMatchObject({ response_action: "update", view: { type: "modal" } });
    expect(JSON.stringify(answer)).toContain("press Reactivate again: the check-list has changed");
  });

  it("without a check-list has it read first", async () => {
    const { incident, message } = await told({ state: "suspended", checklist: null });
    expect((await press(message, "reactivate")).status).toBe(200);
    expect(slack.views).toEqual([]);
    expect(slack.words).toEqual([{ user: OLGA.user, text: expect.stringContaining("It is being read now") }]);
    expect(onlyCommand()).toMatchObject({ kind: "check", incidentId: incident.id, road: "slack" });
  });

  it("of a form that was open too long is refused with the state of now", async () => {
    const { incident, message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const over = await incidentIn(rig, { state: "reactivated" });
    const target = JSON.stringify({ incidentId: over.id, accountSid: incident.accountSid, message: null });
    const answer = await submit({ ...form, view: { ...form.view, private_metadata: target } }, ANSWERS);
    expect(JSON.stringify(answer)).toContain("this is over");
    expect(commandsIn(rig)).toEqual([]);
  });
});

describe("Suspend now", () => {
  it("asks for a reason and hands the command over", async () => {
    const { incident, message } = await told({ state: "alerted" });
    const form = await opened(message, "suspend");
    expect(blocksOf(form)).toEqual(["reason"]);
    expect(await submit(form, { reason: REASON })).toBe("closed");
    expect(onlyCommand()).toMatchObject({ kind: "suspend", accountSid: incident.accountSid, acknowledge: [] });
  });

  it("of an exempt account asks to acknowledge it", async () => {
    const { message } = await told({ state: "alerted", accountSid: EXEMPT });
    const form = await opened(message, "suspend");
    expect(JSON.stringify(form.view)).toContain("the account is exempt (emergency line)");
    expect(() => slack.submitted(form, { reason: REASON }, OLGA)).toThrow(/acknowledge must be answered/);
    expect(await submit(form, { reason: REASON, acknowledge: ["exempt"] })).toBe("closed");
    expect(onlyCommand()).toMatchObject({ kind: "suspend", accountSid: EXEMPT, acknowledge: ["exempt"] });
  });
});

it("Dismiss asks for a reason and hands the command over", async () => {
  const { incident, message } = await told({ state: "failed" });
  const form = await opened(message, "dismiss");
  expect(await submit(form, { reason: REASON })).toBe("closed");
  expect(onlyCommand()).toMatchObject({ kind: "dismiss", incidentId: incident.id, operator: "olga" });
});

it("Keep suspended says so in the thread, and changes nothing", async () => {
  const { incident, message } = await told({ state: "suspended" });
  await logged();
  const before = await rig.parts.incidents.get(incident.id);
  expect((await press(message, "keep-suspended")).status).toBe(200);
  expect(slack.inThreadOf(message).map(({ text }) => text)).toEqual(["olga keeps it suspended."]);
  expect(commandsIn(rig)).toEqual([]);
  expect(await rig.parts.incidents.get(incident.id)).toEqual(before);
  expect(await logged()).toMatchObject([
    { event: "slack-said", incident: incident.id, operator: "olga", road: "slack", button: "keep-suspended" },
  ]);
});

it("whoever acts was let in: it is their last use, and nobody else's", async () => {
  const { message } = await told({ state: "suspended" });
  for (const who of [OLGA, VICTOR, ED, SOMEBODY, ELSEWHERE]) await press(message, "keep-suspended", who);
  const uses = await rig.parts.watch.uses.lastUses(parseOperators(OPERATORS));
  expect([...uses.keys()]).toEqual(["olga"]);
  expect(uses.get("olga")).toBe(NOW.toISOString());
});

describe("a button of a message that is out of date", () => {
  it.each([
    ["reactivate", "suspended", "reactivated", "this is over"],
    ["reactivate", "suspended", "reactivating", "asked for by alice"],
    ["keep-suspended", "suspended", "dismissed", "was dismissed by olga"],
    ["dismiss", "alerted", "suspended", "The account is suspended"],
  ] as const)("%s of an incident that was %s, and is %s", async (button, then, now, words) => {
    const { message } = await told({ state: then });
    const present = await incidentIn(rig, { state: now, asked: NOW });
    const payload = slack.pressed(message, button, OLGA);
    const actions = [{ action_id: button, value: present.id }];
    expect((await deliver(signedRequest({ ...payload, actions }))).status).toBe(200);
    expect(slack.views).toEqual([]);
    expect(slack.words).toEqual([{ user: OLGA.user, text: expect.stringContaining(words) }]);
    expect(slack.words[0]?.text).not.toContain("/api/");
    expect(commandsIn(rig)).toEqual([]);
  });

  it("of an incident that there is not", async () => {
    const { message } = await told({ state: "suspended" });
    const payload = slack.pressed(message, "reactivate", OLGA);
    for (const value of ["20991231T235959999-00000000", "INCIDENT#x", ""]) {
      await deliver(signedRequest({ ...payload, actions: [{ action_id: "reactivate", value }] }));
      expect(slack.words.at(-1)?.text).toContain("There is no incident with this id");
    }
  });

  it("of an account that Twilio itself suspended", async () => {
    const checklist = [{ id: "suspended-by", answer: "not-done", why: "Twilio suspended it (21478)" }] as const;
    const { incident, message } = await told({ state: "suspended", by: "suspended-by-twilio", checklist });
    await press(message, "reactivate");
    expect(slack.words[0]?.text).toContain(`Twilio suspended it (21478). What to do: ask Twilio Support`);
    expect(slack.words[0]?.text).toContain(`incidents report ${incident.id}`);
  });
});

describe("a press opens a form where the API would accept it, and only there", () => {
  const TWILIO = [{ id: "suspended-by", answer: "not-done", why: "Twilio suspended it (21478)" }] as const;
  const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
  const PRESSED = ["reactivate", "suspend", "dismiss"] as const;
  const wishes = ({ id: incidentId, accountSid }: Incident) =>
    ({
      reactivate: {
        incidentId,
        reason: REASON,
        acknowledge: CHECK_IDS,
        cleanup: [],
        countries: [],
        checklist: digestOf({ items: CHECKLIST }),
        kind: "reactivate",
      },
      suspend: { accountSid, reason: REASON, acknowledge: [], kind: "suspend" },
      dismiss: { incidentId, reason: REASON, kind: "dismiss" },
    }) as const satisfies Record<(typeof PRESSED)[number], Wished>;

  it.each<[string, Wanted]>([
    ["open", { state: "open" }],
    ["suspended", { state: "suspended" }],
    ["suspended, and closed since", { state: "suspended", by: "closed" }],
    ["suspended by Twilio", { state: "suspended", by: "suspended-by-twilio", checklist: TWILIO }],
    ["alerted", { state: "alerted" }],
    ["alerted, of the parent", { state: "alerted", accountSid: PARENT }],
    ["failed", { state: "failed" }],
    ["reactivating", { state: "reactivating", asked: ago(1) }],
    ["reactivating for eleven minutes, so it hangs", { state: "reactivating", asked: ago(11) }],
    ["reactivated", { state: "reactivated" }],
    ["dismissed", { state: "dismissed" }],
  ])("%s", async (_what, wanted) => {
    const { message } = await told({ state: "suspended" });
    const incident = await incidentIn(rig, wanted);
    const [olga] = parseOperators(OPERATORS);
    if (olga === undefined) throw new Error("there is no olga");
    for (const button of PRESSED) {
      const wish = wishes(incident)[button];
      const asked = { operator: olga, road: "api", wish } as const;
      const outcome = await acceptCommand({ ...rig.parts, clock: systemClock }, asked);
      slack.views.splice(0);
      const payload = slack.pressed(message, "reactivate", OLGA);
      await deliver(signedRequest({ ...payload, actions: [{ action_id: button, value: incident.id }] }));
      // A button is about its incident: of one that is over, the account can be suspended, but not from there.
      const isAccepted = outcome.kind === "accepted" && !(button === "suspend" && isOver(incident.state));
      expect([button, slack.views.length]).toEqual([button, isAccepted ? 1 : 0]);
    }
  });
});

describe("who may not", () => {
  const refusals: [string, Person, string, RegExp][] = [
    ["somebody unknown", SOMEBODY, "unknown-user", /You \(U0SOMEBODY\) are none of.*Ask one of these now: <@U0OLGA>\./],
    ["a viewer", VICTOR, "role-too-low", /Your role is viewer.*<@U0OLGA>/],
    ["an operator who has expired", ED, "expired", /Your access ended at 2026-01-01T00:00:00.000Z.*<@U0OLGA>/],
    ["another workspace's user", ELSEWHERE, "other-workspace", /takes orders from its own workspace only/],
  ];

  it.each(refusals)("%s is told so privately, and it is recorded", async (_what, who, reason, words) => {
    const { message } = await told({ state: "suspended" });
    await logged();
    for (const button of ["reactivate", "keep-suspended"]) {
      expect((await press(message, button, who)).status).toBe(200);
      expect(slack.words.at(-1)).toEqual({ user: who.user, text: expect.stringMatching(words) });
    }
    expect(slack.views).toEqual([]);
    expect(slack.inThreadOf(message)).toEqual([]);
    const refused = { event: "operator-refused", level: "WARN", road: "slack", reason, user: who.user };
    expect(await logged()).toMatchObject([refused, refused]);
  });

  it.each(refusals)("%s cannot send a form that somebody else opened", async (_what, who, _reason, words) => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const answer = await submit(form, ANSWERS, who);
    expect(answer).toMatchObject({ response_action: "update", view: { type: "modal" } });
    expect(answer.view.blocks[0].text.text).toMatch(words);
    expect(commandsIn(rig)).toEqual([]);
  });
});

describe("without SLACK_TEAM_ID", () => {
  let unnamed: Listening;
  beforeAll(async () => {
    vi.resetModules();
    // As on AWS where the parameter `slackTeam` was not given.
    vi.stubEnv("SLACK_TEAM_ID", "");
    const { app: alone } = await import("../../handlers/slack.ts");
    vi.stubEnv("SLACK_TEAM_ID", TEAM);
    unnamed = await listening(serve({ fetch: alone.fetch, port: 0, hostname: "127.0.0.1" }));
  });
  afterAll(() => unnamed.close());
  const send = (request: RequestInit) => fetch(`${unnamed.url}/slack/actions`, request);

  it.each([
    ["of our own workspace", OLGA],
    ["of another", ELSEWHERE],
  ])("nobody is let in, not even an operator %s, and it is said why", async (_what, who) => {
    const { message } = await told({ state: "suspended" });
    await logged();
    expect((await send(signedRequest(slack.pressed(message, "keep-suspended", who)))).status).toBe(200);
    expect(slack.inThreadOf(message)).toEqual([]);
    expect(slack.words).toEqual([{ user: who.user, text: expect.stringContaining("has to set SLACK_TEAM_ID") }]);
    expect(await logged()).toMatchObject([
      { event: "slack-not-configured", level: "ERROR", fix: expect.stringContaining("SLACK_TEAM_ID") },
      { event: "operator-refused", reason: "no-workspace", user: who.user },
    ]);
  });

  it("no form is taken", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const answer = await send(signedRequest(slack.submitted(form, ANSWERS, OLGA)));
    expect(await answer.text()).toContain("has to set SLACK_TEAM_ID");
    expect(commandsIn(rig)).toEqual([]);
  });
});

describe("what Slack did not send", () => {
  /** A genuine press, changed by `change` after it was signed. */
  async function tampered(change: (request: ReturnType<typeof signedRequest>) => RequestInit) {
    const { message } = await told({ state: "suspended" });
    await logged();
    const response = await deliver(change(signedRequest(slack.pressed(message, "keep-suspended", OLGA))));
    expect(response.status).toBe(403);
    expect(await response.text()).toBe("");
    expect(slack.inThreadOf(message)).toEqual([]);
    expect(slack.words).toEqual([]);
    return logged();
  }
  const without = (name: string) => (request: ReturnType<typeof signedRequest>) => ({
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([header]) => header !== name)),
  });
  const withHeader = (name: string, value: string) => (request: ReturnType<typeof signedRequest>) => ({
    ...request,
    headers: { ...request.headers, [name]: value },
  });

  it.each([
    [
      "another body",
      (request: ReturnType<typeof signedRequest>) => ({ ...request, body: `${request.body}&a=b` }),
      "forged",
    ],
    ["no signature", without("X-Slack-Signature"), "unsigned"],
    ["no time", without("X-Slack-Request-Timestamp"), "unsigned"],
    ["a signature of another length", withHeader("X-Slack-Signature", "v0=00"), "forged"],
    ["another time than was signed", withHeader("X-Slack-Request-Timestamp", `${NOW.getTime() / 1000 - 9}`), "forged"],
    ["a time that is none", withHeader("X-Slack-Request-Timestamp", "1e9"), "unsigned"],
  ])("%s: 403, without a word", async (_what, change, why) => {
    expect(await tampered(change)).toMatchObject([{ event: "slack-request-refused", level: "WARN", why }]);
  });

  it("signed with another secret", async () => {
    const { message } = await told({ state: "suspended" });
    const payload = slack.pressed(message, "keep-suspended", OLGA);
    expect((await deliver(signedRequest(payload, { signingSecret: "another" }))).status).toBe(403);
  });

  it.each([
    [-6 * 60_000, 403],
    [6 * 60_000, 403],
    [-4 * 60_000, 200],
  ])("signed %d ms from now: %d", async (offset, status) => {
    const { message } = await told({ state: "suspended" });
    const payload = slack.pressed(message, "keep-suspended", OLGA);
    const at = new Date(NOW.getTime() + offset);
    expect((await deliver(signedRequest(payload, { at }))).status).toBe(status);
    expect(slack.inThreadOf(message)).toHaveLength(status === 200 ? 1 : 0);
  });

  it("is refused before it is parsed: no JSON, no form", async () => {
    for (const body of ["payload={", "\u0000", ""]) {
      const response = await deliver({ method: "POST", body });
      expect(response.status).toBe(403);
    }
  });
});

describe("the same signed request again", () => {
  it("a press is answered once", async () => {
    const { message } = await told({ state: "suspended" });
    const request = signedRequest(slack.pressed(message, "keep-suspended", OLGA));
    await logged();
    for (const _time of [1, 2, 3]) expect((await deliver(request)).status).toBe(200);
    expect(slack.inThreadOf(message)).toHaveLength(1);
    expect((await logged()).filter(({ event }) => event === "slack-request-repeated")).toHaveLength(2);
  });

  it("a form is one command, and whoever sent it is told", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const request = signedRequest(slack.submitted(form, ANSWERS, OLGA));
    expect(await (await deliver(request)).text()).toBe("");
    expect(await (await deliver(request)).json()).toEqual({
      response_action: "errors",
      errors: { reason: expect.stringContaining("came before") },
    });
    expect(commandsIn(rig)).toHaveLength(1);
  });

  it.each(["cut", "hang"] as const)("is not what a table makes of it whose answer is lost (%s)", async (fault) => {
    const { message } = await told({ state: "suspended" });
    await logged();
    dynamo.fail({ on: "PutItem", when: "after", do: fault, times: 1 });
    await press(message, "keep-suspended");
    expect(slack.inThreadOf(message)).toHaveLength(1);
    expect((await logged()).map(({ event }) => event)).not.toContain("slack-request-repeated");
  });

  it("a form is one command, even where the table does not remember requests", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    const request = signedRequest(slack.submitted(form, ANSWERS, OLGA));
    dynamo.fail({ on: "PutItem", do: "answer", status: 400, body: "{}" });
    for (const _time of [1, 2]) expect(await (await deliver(request)).text()).toBe("");
    expect(commandsIn(rig)).toHaveLength(1);
    expect(await logged()).toContainEqual(expect.objectContaining({ event: "slack-request-not-noted" }));
  });
});

describe("Slack gets its answer within three seconds", () => {
  const within3s = <T>(work: () => Promise<T>) => within(3000, work());

  it("with a table that hangs: the one who pressed is told", async () => {
    const { message } = await told({ state: "suspended" });
    dynamo.fail({ do: "hang" });
    expect((await within3s(() => press(message, "reactivate"))).status).toBe(200);
    expect(slack.words[0]?.text).toContain("Tollbreaker cannot check this now: nothing was asked for.");
  });

  it("with a table that hangs when the form is sent: it can be sent again", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    dynamo.fail({ do: "hang" });
    expect(await within3s(() => submit(form, ANSWERS))).toEqual({
      response_action: "errors",
      errors: { reason: expect.stringContaining("Send it again unchanged: then it is the same request.") },
    });
    dynamo.clear();
    expect(await submit(form, ANSWERS)).toBe("closed");
    expect(commandsIn(rig)).toHaveLength(1);
  });

  // Longer than a read of ours may take, and its repetition: on Lambda, hours could pass before it goes on.
  const thaw = () => new Promise((resolve) => setTimeout(resolve, 2500));

  it.each([
    ["a table that hangs once", () => dynamo.fail({ on: "Query", do: "hang", times: 1 })],
    ["an inbox that hangs once", () => rig.sqs.fail({ on: "SendMessage", do: "hang", times: 1 })],
  ])("with %s: what was told to be sent again is not carried out later", async (_what, fail) => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    fail();
    expect(await within3s(() => submit(form, ANSWERS))).toMatchObject({ response_action: "errors" });
    await thaw();
    rig.sqs.clear();
    expect(commandsIn(rig)).toEqual([]);
    expect(await submit(form, ANSWERS)).toBe("closed");
    expect(commandsIn(rig)).toHaveLength(1);
  });

  it("with a table that hangs when the check-list is asked for: it is not asked for later", async () => {
    const { message } = await told({ state: "suspended", checklist: null });
    dynamo.fail({ on: "Query", do: "hang", nth: 2, times: 1 });
    await within3s(() => press(message, "reactivate"));
    expect(slack.words[0]?.text).toContain("press Reactivate again");
    await thaw();
    expect(commandsIn(rig)).toEqual([]);
  });

  it("with an inbox that refuses: it can be sent again", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    rig.sqs.fail({ do: "answer", status: 400, body: "{}" });
    const answer = await within3s(() => submit(form, ANSWERS));
    rig.sqs.clear();
    expect(answer).toEqual({
      response_action: "errors",
      errors: { reason: expect.stringContaining("could not store this") },
    });
  });

  it("with a Slack that hangs: the form does not open, and the one who pressed is told", async () => {
    const { message } = await told({ state: "suspended" });
    api.fail({ on: ({ path }) => path === "/api/views.open", do: "hang" });
    await within3s(() => press(message, "reactivate"));
    expect(slack.words[0]?.text).toContain("press the button again");
  });

  it("with a Slack that takes no note: the form closes all the same", async () => {
    const { message } = await told({ state: "suspended" });
    const form = await opened(message, "reactivate");
    api.fail({ on: ({ path }) => path === "/api/chat.postMessage", do: "hang" });
    expect(await within3s(() => submit(form, ANSWERS))).toBe("closed");
    expect(commandsIn(rig)).toHaveLength(1);
  });
});

describe("the private word", () => {
  it.each(["https://evil.example/response", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x", ""])(
    "is not posted to %s, but through the API",
    async (response_url) => {
      const { message } = await told({ state: "suspended" });
      const payload = { ...slack.pressed(message, "reactivate", SOMEBODY), response_url };
      expect((await deliver(signedRequest(payload))).status).toBe(200);
      expect(slack.calls.map(({ method }) => method)).toContain("chat.postEphemeral");
      expect(slack.words).toHaveLength(1);
    },
  );
});

describe("what is nothing to do", () => {
  it("the press of the link to the incident", async () => {
    const { message } = await told({ state: "suspended" });
    expect((await press(message, "open-incident", SOMEBODY)).status).toBe(200);
    expect(slack.words).toEqual([]);
  });

  it.each([{ type: "shortcut" }, { type: "view_closed" }])("%j", async (payload) => {
    expect((await deliver(signedRequest(payload))).status).toBe(200);
  });

  it.each([[{ type: "block_actions" }], [{}], ["text"], [null]])(
    "%j was signed, and cannot be understood",
    async (payload) => {
      expect((await deliver(signedRequest(payload))).status).toBe(400);
      expect(await logged()).toContainEqual(expect.objectContaining({ event: "slack-request-not-understood" }));
    },
  );

  it("other methods, and what is too large", async () => {
    const response = await fetch(`${server.url}/slack/actions`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    // Not over HTTP: the connection is closed while the rest of the body is still on its way.
    expect((await app.request("/slack/actions", { method: "POST", body: "x".repeat(300_000) })).status).toBe(413);
  });
});

it("never logs a reason, a secret or a token", async () => {
  const { message } = await told({ state: "suspended" });
  const form = await opened(message, "reactivate");
  await submit(form, ANSWERS);
  await submit(form, { ...ANSWERS, reason: "a reason of its own kind" });
  const lines = JSON.stringify(await logged());
  expect(lines).toContain("command-accepted");
  for (const secret of [REASON, "a reason of its own kind", SIGNING_SECRET, BOT_TOKEN])
    expect(lines).not.toContain(secret);
});

it("takes an event of API Gateway, its body in base64", async () => {
  const { message } = await told({ state: "suspended" });
  const { headers, body } = signedRequest(slack.pressed(message, "keep-suspended", OLGA));
  const path = "/slack/actions";
  const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const result = await handler({
    ...{ version: "2.0", routeKey: `POST ${path}`, rawPath: path, rawQueryString: "" },
    headers: { host: "tollbreaker.example.com", ...lowered },
    ...{ body: Buffer.from(body).toString("base64"), isBase64Encoded: true },
    requestContext: {
      ...{ accountId: "123456789012", apiId: "abc123", authentication: null, authorizer: {} },
      ...{
        domainName: "tollbreaker.example.com",
        domainPrefix: "tollbreaker",
        requestId: "r",
        routeKey: `POST ${path}`,
      },
      http: { method: "POST", path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "Slackbot 1.0" },
      ...{ stage: "$default", time: "21/Nov/2026:03:04:05 +0000", timeEpoch: 1_795_230_245_000 },
    },
  });
  expect(result.statusCode).toBe(200);
  expect(slack.inThreadOf(message)).toHaveLength(1);
});
