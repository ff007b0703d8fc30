import { cut } from "../../cut.ts";
import type { Mistake } from "../../http/problem.ts";
import type { WishedReactivation } from "./wished.ts";

const EXPECTED = "with the clean-up `voice-countries` at least one ISO 3166-1 alpha-2 code, such as US; else none";

/** What is wrong with the list of countries; none when it fits what is asked to be cleaned up. */
export function countryMistakes({ cleanup, countries }: WishedReactivation): Mistake[] {
  const isAsked = cleanup.includes("voice-countries");
  if (isAsked && countries.length === 0) return [invalid("none", "name in `countries` those that may be called")];
  if (!isAsked && countries.length > 0)
    return [invalid(shown(countries), "add `voice-countries` to `cleanup`, or leave `countries` out")];
  if (countries.length === 0) return [];
  const isCountry = countryJudge();
  const unknown = countries.filter((code) => !isCountry(code));
  return unknown.length === 0 ? [] : [invalid(shown(unknown), `correct ${shown(unknown)}`)];
}

function invalid(got: string, fix: string): Mistake {
  return {
    code: "countries-invalid",
    detail: "The list of countries that may be called cannot be used.",
    expected: EXPECTED,
    got,
    fix,
  };
}

/** Unicode has names for these too, and they are no countries. */
const GROUPS: ReadonlySet<string> = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"]);

// Better here than after the account went live, where an unknown code would take it back to suspended.
function countryJudge(): (code: string) => boolean {
  // Made when it is needed: loading the names would lengthen every cold start.
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  return (code) => {
    if (!/^[A-Z]{2}$/.test(code) || GROUPS.has(code)) return false;
    // UK reads as GB, and SU as RU: Twilio knows only the second.
    return new Intl.Locale(`und-${code}`).region === code && names.of(code) !== undefined;
  };
}

const MOST_SHOWN = 10;

function shown(countries: readonly string[]): string {
  const some = countries.slice(0, MOST_SHOWN).map((code) => JSON.stringify(cut(code, 20)));
  return countries.length > MOST_SHOWN ? `${some.join(", ")}, ...` : some.join(", ");
}
