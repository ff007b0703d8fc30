import * as z from "zod";
import { isAccountSid } from "../twilio/sids.ts";
import { canStrangerCause, ERROR_CODES, isIgnored } from "./error-codes.ts";
import { nearest } from "./nearest.ts";
import { type Path, quote } from "./policy-problem.ts";
import { LimitEntry, NAME } from "./policy-schema.ts";

/** What is wrong between keys, each of which may be right. */
export interface BrokenRule {
  path: Path;
  /** Where to point: at the value unless said otherwise. */
  about?: "key";
  text: string;
}

// Twilio allows 1,000 usage triggers an account; some are left for what the operator has there already.
const MOST_LIMITS = 100;

/**
 * Every rule between keys that `data` breaks, `data` being a policy as it is written. Looks only at what can be
 * understood: what can't is for the schema to tell.
 */
export function brokenRules(data: unknown): BrokenRule[] {
  const draft = readDraft(data);
  return [
    ...tooManyLimits(draft),
    ...namesThatCannotBe(draft),
    ...namesUsedTwice(draft),
    ...accountsThatCannotBe(draft),
    ...codesNeverCounted(draft),
    ...codesTwice(draft),
    ...countsOfEverything(draft),
    ...sameTriggerTwice(draft),
    ...fractionsOfThings(draft),
    ...suspendingOnAStrangersWord(draft),
    ...overridesOfNothing(draft),
    ...sameTriggerForOneAccount(draft),
    ...exemptedTwice(draft),
  ];
}

const { category, by, every, at } = LimitEntry.shape;
const Measure = z.object({ category, by, every, at });
const Amount = z.object({ by, at });
const Subject = z.object({ category, by });
const Exempt = z.object({ account: z.string() });

type Measure = z.output<typeof Measure>;
type Named<T> = ReadonlyMap<string, T>;

interface Draft {
  limitNames: readonly string[];
  errorNames: readonly string[];
  limits: Named<Measure>;
  /** Of limits and of confirmations, by path. */
  amounts: readonly { path: Path; by: string; at: string }[];
  subjects: readonly { path: Path; category: string; by: string }[];
  errors: Named<RuleDraft>;
  accounts: Named<Named<string | undefined>>;
  exempt: readonly (string | undefined)[];
}

interface RuleDraft {
  /** As written: what is no code is for the schema to tell. */
  codes: readonly unknown[];
  isSuspending: boolean;
  isConfirmed: boolean;
}

function readDraft(data: unknown): Draft {
  const [limits, errors, accounts] = ["limits", "errors", "accounts"].map((key) => entries(value(data, key)));
  const confirmations = (errors ?? []).map(([name, rule]) => [name, value(rule, "confirm")] as const);
  const exempt = value(data, "exempt");
  return {
    limitNames: (limits ?? []).map(([name]) => name),
    errorNames: (errors ?? []).map(([name]) => name),
    limits: readable((limits ?? []).slice(0, MOST_LIMITS), Measure),
    amounts: readAll(Amount, limits ?? [], confirmations),
    subjects: readAll(Subject, limits ?? [], confirmations),
    errors: new Map((errors ?? []).map(([name, rule]) => [name, readRule(rule)])),
    accounts: new Map((accounts ?? []).map(([sid, overrides]) => [sid, readOverrides(overrides)])),
    exempt: Array.isArray(exempt) ? exempt.map((entry) => Exempt.safeParse(entry).data?.account) : [],
  };
}

type Entries = readonly (readonly [string, unknown])[];

function readAll<T extends z.ZodObject>(schema: T, limits: Entries, confirmations: Entries) {
  return [
    ...[...readable(limits, schema)].map(([name, found]) => ({ path: ["limits", name], ...found })),
    ...[...readable(confirmations, schema)].map(([name, found]) => ({ path: ["errors", name, "confirm"], ...found })),
  ];
}

function readRule(rule: unknown): RuleDraft {
  const codes = value(rule, "codes");
  return {
    codes: Array.isArray(codes) ? codes : [],
    isSuspending: value(rule, "then") === "suspend",
    isConfirmed: value(rule, "confirm") !== undefined,
  };
}

function readOverrides(overrides: unknown): Named<string | undefined> {
  return new Map(entries(overrides).map(([name, amount]) => [name, at.safeParse(amount).data]));
}

function readable<T extends z.ZodType>(entries: Entries, schema: T): Named<z.output<T>> {
  return new Map(
    entries.flatMap(([name, entry]) => {
      const result = schema.safeParse(entry);
      return result.success ? [[name, result.data] as const] : [];
    }),
  );
}

function entries(map: unknown): [string, unknown][] {
  return typeof map === "object" && map !== null && !Array.isArray(map) ? Object.entries(map) : [];
}

function value(map: unknown, key: string): unknown {
  return entries(map).find(([name]) => name === key)?.[1];
}

function tooManyLimits({ limitNames }: Draft): BrokenRule[] {
  if (limitNames.length <= MOST_LIMITS) return [];
  const text = `There are ${limitNames.length} limits. Expected at most ${MOST_LIMITS}: each is a usage trigger on every subaccount, and Twilio allows an account 1,000.`;
  return [{ path: ["limits"], text }];
}

function namesThatCannotBe({ limitNames, errorNames }: Draft): BrokenRule[] {
  const paths = [...limitNames.map((name) => ["limits", name]), ...errorNames.map((name) => ["errors", name])];
  return paths
    .filter(([, name = ""]) => !NAME.test(name))
    .map((path) => ({ path, about: "key", text: `${NAME_EXPECTED} Got: ${quote(path[1] ?? "")}.` }));
}

const NAME_EXPECTED =
  "Expected a name of small letters, digits and single `-`, with a letter in it, 40 at most, for example `daily-spend`.";

function accountsThatCannotBe({ accounts }: Draft): BrokenRule[] {
  return [...accounts.keys()]
    .filter((sid) => !isAccountSid(sid))
    .map((sid) => ({ path: ["accounts", sid], about: "key", text: `${SID_EXPECTED} Got: ${quote(sid)}.` }));
}

const SID_EXPECTED =
  "Expected an Account SID: AC and 32 hexadecimal digits, for example `AC0123456789abcdef0123456789abcdef`.";

function codesNeverCounted({ errors }: Draft): BrokenRule[] {
  return [...errors].flatMap(([name, { codes }]) =>
    codes.flatMap((code, index) =>
      isCode(code) && isIgnored(code) ? [{ path: ["errors", name, "codes", index], text: neverCounted(code) }] : [],
    ),
  );
}

function neverCounted(code: number): string {
  const known = ERROR_CODES.get(code);
  const why = known ? `${known.name}: ${known.why}` : "about a webhook, often our own: acting on it would make a loop";
  return `${code} is never counted (${why}). Take it out of the list.`;
}

function codesTwice({ errors }: Draft): BrokenRule[] {
  return [...errors].flatMap(([name, { codes }]) =>
    repeated(codes.map((code, index) => [String(index), JSON.stringify(code)])).map(([index]) => ({
      path: ["errors", name, "codes", Number(index)],
      text: "This code stands in the list twice. Keep one.",
    })),
  );
}

/** An incident and an alert name the rule that fired, and nothing else beside it. */
function namesUsedTwice({ limitNames, errorNames }: Draft): BrokenRule[] {
  const taken = new Set(limitNames);
  return errorNames
    .filter((name) => taken.has(name))
    .map((name) => ({
      path: ["errors", name],
      about: "key",
      text: "A limit has this name too, and an alert names only the rule. Give one of them another name.",
    }));
}

/** https://www.twilio.com/docs/usage/api/usage-record: of totalprice, Count is empty. */
function countsOfEverything({ subjects }: Draft): BrokenRule[] {
  return subjects
    .filter(({ category, by }) => category === "totalprice" && by === "count")
    .map(({ path }) => ({
      path: [...path, "by"],
      text: "Twilio counts nothing for `totalprice`, so it would never be reached. Write `by: price`, or another category.",
    }));
}

/** A callback without a limit's name is matched by its fields, so they must tell the limits apart. */
function sameTriggerTwice({ limits }: Pick<Draft, "limits">): BrokenRule[] {
  return repeated([...limits].map(([name, limit]) => [name, trigger(limit)])).map(([name, first]) => ({
    path: ["limits", name],
    about: "key",
    text: `This is the same usage trigger as \`${first}\`. Give it another \`at\`, or remove one of them.`,
  }));
}

function sameTriggerForOneAccount({ limits, accounts }: Draft): BrokenRule[] {
  const alreadyTold = new Set(sameTriggerTwice({ limits }).map(({ path }) => path[1]));
  return [...accounts].flatMap(([sid, overrides]) => {
    const own = [...limits].map(([name, limit]): [string, string] => [
      name,
      trigger({ ...limit, at: overrides.get(name) ?? limit.at }),
    ]);
    return repeated(own)
      .filter(([name, first]) => !alreadyTold.has(name) && (overrides.has(name) || overrides.has(first)))
      .map(([name, first]) => ({
        path: ["accounts", sid, overrides.has(name) ? name : first],
        text: `For this account \`${name}\` and \`${first}\` become the same usage trigger. Give them different values.`,
      }));
  });
}

function trigger({ category, by, every, at }: Measure): string {
  return [category, by, every, at].join(" ");
}

/** Each name whose text an earlier one has, with that earlier one. */
function repeated(named: readonly (readonly [string, string])[]): [string, string][] {
  const first = new Map<string, string>();
  return named.flatMap(([name, text]): [string, string][] => {
    const earlier = first.get(text);
    if (earlier === undefined) first.set(text, name);
    return earlier === undefined ? [] : [[name, earlier]];
  });
}

function fractionsOfThings({ amounts, limits, accounts }: Draft): BrokenRule[] {
  const own = amounts.filter(isFraction).map(({ path, at }) => ({ path: [...path, "at"], text: wholeNumber(at) }));
  const ofAccounts = [...accounts].flatMap(([sid, overrides]) =>
    [...overrides].flatMap(([name, at]) => {
      const by = limits.get(name)?.by;
      const isWrong = at !== undefined && by !== undefined && isFraction({ by, at });
      return isWrong ? [{ path: ["accounts", sid, name], text: wholeNumber(at) }] : [];
    }),
  );
  return [...own, ...ofAccounts];
}

function isFraction({ by, at }: { by: string; at: string }): boolean {
  return by === "count" && at.includes(".");
}

function wholeNumber(at: string): string {
  return `Expected a whole number, because \`by: count\` counts things, for example \`at: ${Math.ceil(Number(at))}\`. Got: ${at}.`;
}

function suspendingOnAStrangersWord({ errors }: Draft): BrokenRule[] {
  return [...errors].flatMap(([name, { codes, isSuspending, isConfirmed }]) => {
    const foreign = [...new Set(codes)].filter(isCode).filter((code) => canStrangerCause(code) && !isIgnored(code));
    if (!isSuspending || isConfirmed || foreign.length === 0) return [];
    return [{ path: ["errors", name, "then"], text: strangersWord(foreign) }];
  });
}

function isCode(code: unknown): code is number {
  return typeof code === "number";
}

function strangersWord(codes: readonly number[]): string {
  const named = codes.slice(0, 10).map((code) => {
    const why = ERROR_CODES.get(code)?.why ?? "not in Tollbreaker's table, so taken for such a one";
    return `${code} (${why})`;
  });
  return (
    `A stranger can cause ${named.join(", ")}, and could so have the account suspended. ` +
    "Write `then: alert`, or let the account's own usage confirm it, for example " +
    "`confirm: { category: totalprice, by: price, every: day, at: 20 }`."
  );
}

function overridesOfNothing({ accounts, limitNames, errorNames }: Draft): BrokenRule[] {
  return [...accounts].flatMap(([sid, overrides]) =>
    [...overrides.keys()]
      .filter((name) => !limitNames.includes(name))
      .map((name) => ({
        path: ["accounts", sid, name],
        about: "key",
        text: noSuchLimit(name, limitNames, errorNames),
      })),
  );
}

function noSuchLimit(name: string, limitNames: readonly string[], errorNames: readonly string[]): string {
  if (errorNames.includes(name)) return "This is an error rule. Only limits can have another value for an account.";
  const meant = nearest(name, limitNames);
  if (meant !== undefined) return `There is no limit of this name. Did you mean \`${meant}\`?`;
  return limitNames.length === 0
    ? "There is no limit of this name: the policy has no limits."
    : `There is no limit of this name. The limits are: ${limitNames.slice(0, 20).join(", ")}.`;
}

function exemptedTwice({ exempt }: Draft): BrokenRule[] {
  const sids = exempt.map((sid, index): [string, string] => [
    String(index),
    sid?.toLowerCase() ?? `unreadable ${index}`,
  ]);
  return repeated(sids).map(([index, first]) => ({
    path: ["exempt", Number(index), "account"],
    text: `This account is exempted twice: entry ${Number(first) + 1} of the list names it too. Keep one.`,
  }));
}
