import { messageOf } from "../../lib/errors.ts";
import type { TwilioAccess } from "../twilio-access.ts";
import { lag } from "../wording.ts";
import { type Finding, good, warn, wrong } from "./finding.ts";

const ABOUT = "clock";
const SET_IT = "let this machine set its clock by the network (NTP)";
/** The Date header counts whole seconds, and the answer is a moment on its way. */
const NOTICEABLE_MS = 5000;
const TOO_MUCH_MS = 60_000;
const PATIENCE_MS = 10_000;

/** This machine's clock against the Date that Twilio's answer carries. */
export async function checkClock({ apiUrl }: Pick<TwilioAccess, "apiUrl">): Promise<Finding> {
  const base = apiUrl === undefined ? "https://api.twilio.com" : `${apiUrl.replace(/\/+$/, "")}/api`;
  try {
    const asked = Date.now();
    // Whatever it answers, without credentials: only its Date is read.
    const response = await fetch(`${base}/2010-04-01`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      redirect: "manual",
    });
    const answered = Date.now();
    await response.body?.cancel();
    return judge(response.headers.get("date"), (asked + answered) / 2);
  } catch (thrown) {
    return warn(ABOUT, `Twilio could not be asked for its time: ${messageOf(thrown)}`, "check the network");
  }
}

/** Pure. @param now milliseconds since the epoch */
export function judge(date: string | null, now: number): Finding {
  const theirs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) return warn(ABOUT, "Twilio's answer carries no Date", "compare the clock by hand");
  // The header leaves out the fraction: half a second on average.
  const skew = Math.round(now - (theirs + 500));
  const seen = `${lag(Math.abs(skew))} ${skew < 0 ? "behind" : "ahead of"} Twilio's`;
  if (Math.abs(skew) > TOO_MUCH_MS) return wrong(ABOUT, seen, `${SET_IT}: times in incidents and lags are wrong by it`);
  return Math.abs(skew) > NOTICEABLE_MS ? warn(ABOUT, seen, SET_IT) : good(ABOUT, "agrees with Twilio's");
}
