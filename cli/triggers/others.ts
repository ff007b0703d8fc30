import { accounts as many } from "../brake-text.ts";
import { printable, type Terminal } from "../terminal.ts";
import type { Survey } from "./survey.ts";

/** Each other Tollbreaker, and on how many accounts it has triggers. */
export function otherTollbreakersIn({ surveyed }: Survey): { url: string; accounts: number }[] {
  const urls = surveyed.flatMap(({ others }) => others);
  return [...Map.groupBy(urls, (url) => url)].map(([url, all]) => ({ url, accounts: all.length }));
}

/** What to do about them, the same wherever they are told. */
export const ABOUT_OTHERS =
  "if it is yours, let one of them watch (remove the other, or `tollbreaker triggers apply --take-over`); if not, somebody with the account's auth token put it there";

export function tellOfOthers(found: Survey, terminal: Terminal): void {
  for (const { url, accounts } of otherTollbreakersIn(found))
    terminal.tell(
      printable(`Note: another Tollbreaker (${url}) has triggers on ${many(accounts)}. They stay: ${ABOUT_OTHERS}.`),
    );
}
