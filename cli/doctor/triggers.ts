import { accounts as many } from "../brake-text.ts";
import { planView } from "../triggers/plan.ts";
import { statusOf } from "../triggers/status.ts";
import type { Survey } from "../triggers/survey.ts";
import type { Finding } from "./finding.ts";
import { good, warn, wrong } from "./finding.ts";

const ABOUT = "usage triggers";
/** "Each account can create up to 1,000 UsageTriggers." */
const NEARLY_FULL = 900;

/** Pure. Whether every account carries what the policy wants, and could. */
export function checkTriggers(found: Survey): Finding[] {
  const { summary, accounts } = planView(found);
  const { create, update, replace, remove, inOrder } = summary;
  const isDrifted = create + update + replace + remove > 0;
  const seen = `${create} missing, ${replace} of another value, ${update} that call somebody else, ${remove} too many`;
  const state = `${inOrder} of ${summary.accounts} accounts carry what the policy wants`;
  return [
    isDrifted ? wrong(ABOUT, `${state}: ${seen}`, "`tollbreaker triggers apply`") : good(ABOUT, state),
    ...accounts.flatMap(({ accountSid, problem }) =>
      problem === null ? [] : [wrong(ABOUT, `${accountSid}: ${problem}`, "delete those at Twilio that nobody needs")],
    ),
    ...found.unread.map(({ account, why }) =>
      wrong(ABOUT, `${account.sid} could not be read: ${why}`, "run this again"),
    ),
    ...nearlyFull(found),
    ...spent(found),
  ];
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

/** A limit of `every: once` whose trigger has fired guards nothing any more. */
function spent({ surveyed }: Survey): Finding[] {
  const names = surveyed.flatMap((one) => statusOf(one).limits.filter(({ state }) => state === "spent"));
  const counts = Map.groupBy(names, ({ limit }) => limit);
  return [...counts].map(([limit, fired]) =>
    warn(ABOUT, `${limit} fires only once, and has fired on ${many(fired.length)}`, "use every: day, month or year"),
  );
}
