import { isDecimal, subtract } from "../../lib/decimal.ts";
import type { EvidenceView, IncidentStory, RankingView, TimelineView } from "../incident-view.ts";
import { suspensionsOf } from "../suspensions.ts";
import { amount, counted } from "../wording.ts";
import { code, plain, table } from "./markdown.ts";
import { exact } from "./times.ts";

/** What was spent when it tripped, and what Twilio's Usage Records said afterwards. */
export function cost(incident: IncidentStory): string {
  const readings = [
    ...atFiring(incident),
    ...incident.timeline.filter(isReading).map((entry) => readingRow(entry, suspensionsOf(incident).first)),
  ].toSorted(([a = ""], [b = ""]) => a.localeCompare(b, "en"));
  const titles = ["When", "What", "Category", "Everything", "Source"];
  return [table(titles, readings), afterwards(incident), ranking(incident.ranking), readings.length > 0 ? LAG : ""]
    .filter((part) => part !== "")
    .join("\n\n");
}

const LAG =
  "Twilio's usage figures lag behind what is spent, and prices of calls and messages may arrive hours later: the final cost is in its Usage Records of the day (GMT).";

function atFiring({ trip, firedAt, receivedAt, evidence }: IncidentStory): string[][] {
  if (trip === null || trip.triggerBy !== "price") return [];
  const currency = evidence === null ? "in the account's currency" : evidence.currency;
  const spent = plain(`${amount(trip.currentValue)} ${currency}`);
  const isAll = trip.usageCategory === "totalprice";
  const at = exact(firedAt ?? receivedAt);
  return [
    [
      at,
      plain(`at firing (${trip.recurring || "since the trigger was made"})`),
      isAll ? "" : spent,
      isAll ? spent : "",
      "usage trigger",
    ],
  ];
}

function isReading({ what }: TimelineView): boolean {
  return what === "evidence-read";
}

function readingRow({ at, detail }: TimelineView, suspendedAt: string | null): string[] {
  const currency = String(detail["currency"] ?? "");
  const when = suspendedAt !== null && at >= suspendedAt ? "after the suspension" : "before any suspension";
  const price = (name: string) => {
    const value = detail[name];
    return typeof value === "string" ? plain(`${amount(value)} ${currency}`) : "";
  };
  return [exact(at), `that day (GMT), ${when}`, price("categoryPriceToday"), price("totalPriceToday"), "Usage Records"];
}

/** By how much it had grown: only where both figures are of the same day, category and unit. */
function afterwards({ trip, evidence }: IncidentStory): string {
  if (trip === null || evidence === null || trip.triggerBy !== "price" || trip.recurring !== "daily") return "";
  const later = laterPrice(trip.usageCategory, evidence);
  if (later === null || !isDecimal(later) || !isDecimal(trip.currentValue)) return "";
  const grown = plain(`${amount(subtract(later, trip.currentValue))} ${evidence.currency}`);
  return `Between the firing and the last reading the figure of ${code(trip.usageCategory)} grew by ${grown}.`;
}

function laterPrice(usageCategory: string, { categoryPriceToday, totalPriceToday }: EvidenceView): string | null {
  return usageCategory === "totalprice" ? (categoryPriceToday ?? totalPriceToday) : categoryPriceToday;
}

function ranking(spend: RankingView | null): string {
  if (spend === null) return "";
  const rows = spend.spenders.map(({ accountSid, friendlyName, price, share }) => [
    plain(friendlyName || "(no name)"),
    code(accountSid),
    plain(`${amount(price)} ${spend.currency}`),
    share === null ? "" : plain(`${share} %`),
  ]);
  const total = plain(`${amount(spend.total)} ${spend.currency}`.trim());
  const unread = spend.unread === 0 ? "" : `; ${counted(spend.unread, "account")} could not be read`;
  return [
    `Who spent most that day (GMT), read ${exact(spend.readAt)}; in all ${total}${unread}:`,
    table(["Account", "AccountSid", "Spent", "Share"], rows),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
