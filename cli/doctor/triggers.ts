import { isProtected } from "../../lib/policy/exemption.ts";
import type { Policy } from "../../lib/policy/policy.ts";
import { accounts as many } from "../brake-text.ts";
import { addressOf } from "../triggers/difference.ts";
import { ABOUT_OTHERS, otherTollbreakersIn } from "../triggers/others.ts";
import { planView } from "../triggers/plan.ts";
import { type LimitState, type LimitStatus, statusOf } from "../triggers/status.ts";
import { watchInWords } from "../triggers/status-text.ts";
import type { Survey, Surveyed } from "../triggers/survey.ts";
import type { Finding } from "./finding.ts";
import { good, warn, wrong } from "./finding.ts";

const ABOUT = "usage triggers";
/** "Each account can create up to 1,000 UsageTriggers." */
const NEARLY_FULL = 900;

/**
 * Pure. Whether every account carries what the policy wants, and could.
 * @param isCallable whether the callback is right: until then `apply` refuses, or arms what nobody would hear.
 */
export function checkTriggers(found: Survey, policy: Policy, isCallable: boolean): Finding[] {
  const { summary, accounts } = planView(found);
  const { create, update, replace, remove, inOrder } = summary;
  const isDrifted = create + update + replace + remove > 0;
  // Another Tollbreaker's stands there in its place.
  const elsewhere = found.surveyed.reduce((sum, one) => sum + calledElsewhere(one).length, 0);
  const seen = `${create - elsewhere} missing, ${replace} of another value, ${update + elsewhere} that call somebody else, ${remove} too many`;
  const state = `${inOrder} of ${summary.accounts} accounts carry what the policy wants`;
  return [
    isDrifted ? wrong(ABOUT, `${state}: ${seen}`, mendOf(found, isCallable)) : good(ABOUT, state),
    ...accounts.flatMap(({ accountSid, problem }) =>
      problem === null ? [] : [wrong(ABOUT, `${accountSid}: ${problem}`, "delete those at Twilio that nobody needs")],
    ),
    ...found.unread.map(({ account, why }) =>
      wrong(ABOUT, `${account.sid} could not be read: ${why}`, "run this again"),
    ),
    ...otherTollbreakersIn(found).map(({ url, accounts: count }) =>
      warn(ABOUT, `another Tollbreaker (${url}) has triggers on ${many(count)}`, ABOUT_OTHERS),
    ),
    ...nearlyFull(found),
    ...unguarded(found, policy),
    ...guarded(found),
    ...spent(found),
  ];
}

/** What another Tollbreaker's triggers call, where ours of the same limit is missing. */
function calledElsewhere({ plan, theirs }: Surveyed): string[] {
  return plan.create.flatMap(
    (wanted) => theirs.find(({ friendlyName }) => friendlyName === wanted.friendlyName)?.callbackUrl ?? [],
  );
}

function mendOf(found: Survey, isCallable: boolean): string {
  if (found.surveyed.every(({ wanted }) => wanted.length === 0))
    return "write limits into the policy; or, if that is meant, `tollbreaker triggers apply --allow-empty`";
  const other = otherAddress(found);
  const doubt =
    other === undefined ? "" : `they call ${other}: is PUBLIC_URL wrong? It must be letter by letter what is deployed`;
  if (!isCallable) return `${doubt || "mend the callback first"}; then run this again`;
  return doubt === "" ? APPLY : `${doubt}; if it is right, ${APPLY}`;
}

const APPLY = "`tollbreaker triggers apply`";

/** The one address that all of ours call, where none calls us: then the odd one out is rather what we take for ours. */
function otherAddress({ surveyed }: Survey): string | undefined {
  if (surveyed.some(({ plan }) => plan.keep.length > 0)) return undefined;
  const called = new Set(
    surveyed.flatMap((one) =>
      [...one.plan.update.map(({ trigger }) => trigger.callbackUrl), ...calledElsewhere(one)].map(addressOf),
    ),
  );
  const wanted = new Set(surveyed.flatMap((one) => one.wanted.map(({ callbackUrl }) => addressOf(callbackUrl))));
  const [other] = called;
  return called.size === 1 && other !== undefined && !wanted.has(other) ? other : undefined;
}

function nearlyFull({ surveyed }: Survey): Finding[] {
  return surveyed
    .filter(({ triggers }) => triggers.length >= NEARLY_FULL)
    .map(({ account, triggers }) =>
      warn(
        ABOUT,
        `${account.sid} has ${triggers.length} of the 1,000 that Twilio allows`,
        "delete those that nobody needs",
      ),
    );
}

/** Limits that have fired on accounts that go on running: nothing of Twilio's stops those before the next period. */
function unguarded(found: Survey, policy: Policy): Finding[] {
  return limitsThat(found, "unguarded").map(({ accountSid, limit, words }) => {
    const seen = `${accountSid}: ${limit} has fired and is ${words}`;
    // Nothing would be suspended: the guard is made as soon as that is over.
    if (isProtected(accountSid, policy, new Date()))
      return warn(ABOUT, `${seen} while the policy only observes or exempts it`, "watch its spend");
    return wrong(ABOUT, seen, `the next sweep makes a guard: if it does not, \`tollbreaker suspend ${accountSid}\``);
  });
}

function guarded(found: Survey): Finding[] {
  return limitsThat(found, "guarded").map(({ accountSid, limit, words }) =>
    good(ABOUT, `${accountSid}: ${limit} has fired and is ${words}`),
  );
}

function limitsThat({ surveyed }: Survey, state: LimitState) {
  return surveyed
    .map(statusOf)
    .flatMap(({ accountSid, limits }) =>
      limits
        .filter((one) => one.state === state)
        .map((one) => ({ accountSid, limit: one.limit, words: watchInWords(one) })),
    );
}

function firesNoMore({ state, silentUntil }: LimitStatus): boolean {
  return state === "spent" || ((state === "guarded" || state === "unguarded") && silentUntil === null);
}

/** A limit of `every: once` whose trigger has fired: at most a guard stands for it. */
function spent({ surveyed }: Survey): Finding[] {
  const names = surveyed.flatMap((one) => statusOf(one).limits.filter(firesNoMore));
  const counts = Map.groupBy(names, ({ limit }) => limit);
  return [...counts].map(([limit, fired]) =>
    warn(ABOUT, `${limit} fires only once, and has fired on ${many(fired.length)}`, "use every: day, month or year"),
  );
}
