import type { CountryPermissions } from "./state.ts";

export interface Country {
  /** ISO 3166-1 alpha-2; Twilio counts Canada as the United States, whose code +1 it shares. */
  readonly isoCode: string;
  readonly name: string;
  readonly continent: string;
  readonly countryCodes: readonly string[];
  /** Named by Twilio as a top destination of fraud: https://www.twilio.com/docs/usage/anti-fraud-developer-guide */
  readonly fraudDestination: boolean;
}

const ordinary = (isoCode: string, name: string, continent: string, ...countryCodes: string[]): Country => {
  return { isoCode, name, continent, countryCodes, fraudDestination: false };
};
const fraud = (isoCode: string, name: string, continent: string, ...countryCodes: string[]): Country => {
  return { isoCode, name, continent, countryCodes, fraudDestination: true };
};

/** Some of the 218 countries and territories that Twilio calls. */
const COUNTRIES = [
  ordinary("US", "United States/Canada", "NORTH_AMERICA", "+1"),
  ordinary("MX", "Mexico", "NORTH_AMERICA", "+52"),
  ordinary("PR", "Puerto Rico", "NORTH_AMERICA", "+1787", "+1939"),
  fraud("BB", "Barbados", "NORTH_AMERICA", "+1246"),
  fraud("CU", "Cuba", "NORTH_AMERICA", "+53"),
  fraud("DO", "Dominican Republic", "NORTH_AMERICA", "+1809", "+1829", "+1849"),
  fraud("GD", "Grenada", "NORTH_AMERICA", "+1473"),
  fraud("JM", "Jamaica", "NORTH_AMERICA", "+1876", "+1658"),
  ordinary("AR", "Argentina", "SOUTH_AMERICA", "+54"),
  ordinary("BR", "Brazil", "SOUTH_AMERICA", "+55"),
  ordinary("AT", "Austria", "EUROPE", "+43"),
  ordinary("BE", "Belgium", "EUROPE", "+32"),
  ordinary("CH", "Switzerland", "EUROPE", "+41"),
  ordinary("DE", "Germany", "EUROPE", "+49"),
  ordinary("DK", "Denmark", "EUROPE", "+45"),
  ordinary("EE", "Estonia", "EUROPE", "+372"),
  ordinary("ES", "Spain", "EUROPE", "+34"),
  ordinary("FR", "France", "EUROPE", "+33"),
  ordinary("GB", "United Kingdom", "EUROPE", "+44"),
  ordinary("IE", "Ireland", "EUROPE", "+353"),
  ordinary("IT", "Italy", "EUROPE", "+39"),
  ordinary("NL", "Netherlands", "EUROPE", "+31"),
  ordinary("PL", "Poland", "EUROPE", "+48"),
  ordinary("PT", "Portugal", "EUROPE", "+351"),
  ordinary("SE", "Sweden", "EUROPE", "+46"),
  fraud("LT", "Lithuania", "EUROPE", "+370"),
  fraud("LV", "Latvia", "EUROPE", "+371"),
  fraud("RS", "Serbia", "EUROPE", "+381"),
  ordinary("ZA", "South Africa", "AFRICA", "+27"),
  fraud("CD", "Congo, Democratic Republic of the", "AFRICA", "+243"),
  fraud("CG", "Congo", "AFRICA", "+242"),
  fraud("GM", "Gambia", "AFRICA", "+220"),
  fraud("GN", "Guinea", "AFRICA", "+224"),
  fraud("SL", "Sierra Leone", "AFRICA", "+232"),
  fraud("SO", "Somalia", "AFRICA", "+252"),
  fraud("TD", "Chad", "AFRICA", "+235"),
  ordinary("IN", "India", "ASIA", "+91"),
  ordinary("JP", "Japan", "ASIA", "+81"),
  ordinary("PH", "Philippines", "ASIA", "+63"),
  ordinary("SG", "Singapore", "ASIA", "+65"),
  fraud("MV", "Maldives", "ASIA", "+960"),
  ordinary("AU", "Australia", "OCEANIA", "+61"),
  ordinary("NZ", "New Zealand", "OCEANIA", "+64"),
  fraud("NR", "Nauru", "OCEANIA", "+674"),
  fraud("SB", "Solomon Islands", "OCEANIA", "+677"),
  fraud("TO", "Tonga", "OCEANIA", "+676"),
  fraud("VU", "Vanuatu", "OCEANIA", "+678"),
];

/** In the order of their ISO codes. */
export const ALL_COUNTRIES: readonly Country[] = COUNTRIES.toSorted((one, other) =>
  one.isoCode < other.isoCode ? -1 : 1,
);

const byCode = new Map(ALL_COUNTRIES.map((country) => [country.isoCode, country]));
export const countryOf = (isoCode: string): Country | undefined => byCode.get(isoCode.toUpperCase());

/**
 * Before anybody changes anything: every country may be called, and where fraud goes even the risky numbers. A customer
 * who ticked every box once has it so, and toll fraud lives on that.
 */
export function permissionsAtFirst(isoCode: string): CountryPermissions {
  const fraudDestination = countryOf(isoCode)?.fraudDestination ?? false;
  return { lowRisk: true, highRiskSpecial: fraudDestination, highRiskTollfraud: fraudDestination };
}
