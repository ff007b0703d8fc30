import { createServer } from "node:http";
import type { Policy } from "../lib/policy/policy.ts";
import { wantedTriggers } from "../lib/triggers/wanted.ts";
import { type Listening, listening } from "../local/listening.ts";

/** As much of Twilio as a sweep of armed accounts asks for, with so many of them that the simulator would be measured. */
export interface ScriptedTwilio extends Listening {
  parentSid: string;
  /** Since the last time: how many requests came, and how many at the same moment at most. */
  requests(): { count: number; mostAtOnce: number };
}

export interface Script {
  subaccounts: number;
  /** Every so manieth account spends a little between two readings; the others rest. */
  everySpends: number;
  policy: Policy;
  publicUrl: string;
}

const PAGE = 1000;
const PARENT = `AC${"f".repeat(32)}`;
const CREATED = "Sat, 13 Oct 2012 21:32:30 +0000";

export async function startScriptedTwilio(script: Script): Promise<ScriptedTwilio> {
  const readings = new Map<string, number>();
  let [count, underWay, mostAtOnce] = [0, 0, 0];

  const answerTo = (path: string): object | undefined => {
    const { pathname, searchParams } = new URL(path, "http://localhost");
    if (pathname.endsWith("/Accounts.json")) return accountsPage(script, Number(searchParams.get("Page") ?? 0));
    const sid = /\/Accounts\/(AC[0-9a-f]{32})\/Usage\/Triggers\.json$/.exec(pathname)?.[1];
    if (sid === undefined) return undefined;
    readings.set(sid, (readings.get(sid) ?? 0) + 1);
    return triggersPage(script, sid, readings.get(sid) ?? 0);
  };

  const server = createServer((incoming, outgoing) => {
    count += 1;
    mostAtOnce = Math.max(mostAtOnce, ++underWay);
    const answer = incoming.method === "GET" ? answerTo(incoming.url ?? "") : undefined;
    // A turn later, so that requests that come together are seen together.
    setImmediate(() => {
      underWay -= 1;
      outgoing.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      outgoing.end(JSON.stringify(answer ?? { code: 20404, message: "not in the script", status: 404 }));
    });
  });

  return {
    ...(await listening(server.listen(0, "127.0.0.1"))),
    parentSid: PARENT,
    requests() {
      const seen = { count, mostAtOnce };
      [count, mostAtOnce] = [0, underWay];
      return seen;
    },
  };
}

const sidOf = (number: number): string => `AC${number.toString(16).padStart(32, "0")}`;

function accountsPage({ subaccounts }: Script, page: number): object {
  const numbers = Array.from({ length: subaccounts }, (_, index) => index).slice(page * PAGE, (page + 1) * PAGE);
  const isLast = (page + 1) * PAGE >= subaccounts;
  return {
    accounts: numbers.map((number) => ({
      sid: sidOf(number),
      owner_account_sid: PARENT,
      friendly_name: `Subaccount ${number}`,
      status: "active",
      auth_token: "0".repeat(32),
      type: "Full",
      date_created: CREATED,
      date_updated: CREATED,
    })),
    next_page_uri: isLast ? null : `/2010-04-01/Accounts.json?PageSize=${PAGE}&Page=${page + 1}`,
  };
}

function triggersPage({ policy, publicUrl, everySpends }: Script, accountSid: string, reading: number): object {
  const spends = Number.parseInt(accountSid.slice(-8), 16) % everySpends === 0;
  const triggers = wantedTriggers(policy, accountSid, publicUrl).map((wanted, index) => ({
    sid: `UT${accountSid.slice(2, -2)}${index.toString(16).padStart(2, "0")}`,
    account_sid: accountSid,
    friendly_name: wanted.friendlyName,
    callback_url: wanted.callbackUrl,
    callback_method: "POST",
    usage_category: wanted.usageCategory,
    trigger_by: wanted.triggerBy,
    trigger_value: wanted.triggerValue,
    current_value: spends ? String(reading) : "1",
    recurring: wanted.recurring,
    date_created: CREATED,
    date_updated: CREATED,
    date_fired: null,
  }));
  return { usage_triggers: triggers, next_page_uri: null };
}
