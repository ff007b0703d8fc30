import * as z from "zod";
import { roundUp } from "../decimal.ts";
import { isAccountSid } from "../twilio/sids.ts";
import { canStrangerCause, ERROR_CODES, isIgnored, whyIgnored } from "./error-codes.ts";
import { FixedEntry } from "./limit-schema.ts";
import { nearest } from "./nearest.ts";
import { type Path, quote } from "./policy-problem.ts";
import { NAME } from "./policy-schema.ts";

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
    ...watchesWithoutTrigger(draft),
    ...suspendingOnAStrangersWord(draft),
    ...overridesOfNothing(draft),
    ...sameTriggerForOneAccount(draft),
    ...exemptedTwice(draft),
  ];
}

const { category, by, every, at } = FixedEntry.shape;
const Measure = z.object({ category, by, every, at });
const Amount = z.object({ by, at });
const Subject = z.object({ category, by });
const Exempt = z.object({ account: z.string() });

type Measure = z.output<typeof Measure>;
type Named<T> = ReadonlyMap<string, T>;

interface Draft {
  limitNames: readonly string[];
  errorNames: readonly string[];
  /** Those that become usage triggers. */
  limits: Named<Measure>;
  /** Those that the sweep watches, spikes among them. */
  watched: Named<Subject>;
  spikeNames: readonly string[];
  /** What each limit of any kind compares. */
  bys: Named<string>;
  /** Of limits and of confirmations, by the path of the amount. */
  amounts: readonly { path: Path; by: string; at: string }[];
  /** The same by the path of `by`. */
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
  const [written, errors, accounts] = ["limits", "errors", "accounts"].map((key) => entries(value(data, key)));
  const limits = (written ?? []).map(([name, limit]) => [name, inOneWay(limit)] as const);
  const confirmations = (errors ?? []).map(([name, rule]) => [name, value(rule, "confirm")] as const);
  const exempt = value(data, "exempt");
  return {
    limitNames: limits.map(([name]) => name),
    errorNames: (errors ?? []).map(([name]) => name),
    limits: readable(limits.filter(([, limit]) => !isWatched(limit)).slice(0, MOST_LIMITS), Measure),
    watched: readable(limits.filter(([, limit]) => isWatched(limit)).slice(0, MOST_LIMITS), Subject),
    spikeNames: limits.filter(([, limit]) => isSpike(limit)).map(([name]) => name),
    bys: readable(limits, By),
    amounts: [...amountsOf(limits, ["limits"]), ...amountsOf(confirmations, ["errors"], ["confirm"])],
    subjects: [...subjectsOf(limits, ["limits"]), ...subjectsOf(confirmations, ["errors"], ["confirm"])],
    errors: new Map((errors ?? []).map(([name, rule]) => [name, readRule(rule)])),
    accounts: new Map((accounts ?? []).map(([sid, overrides]) => [sid, readOverrides(overrides)])),
    exempt: Array.isArray(exempt) ? exempt.map((entry) => Exempt.safeParse(entry).data?.account) : [],
  };
}

const By = z.object({ by }).transform((limit) => limit.by);

/** `by: rate` is another way to write `every: hour`. */
function inOneWay(limit: unknown): unknown {
  if (value(limit, "by") !== "rate") return limit;
  return { ...Object.fromEntries(entries(limit)), by: value(limit, "of") ?? "price", every: "hour" };
}

function isWatched(limit: unknown): boolean {
  return isSpike(limit) || value(limit, "every") === "hour";
}

function isSpike(limit: unknown): boolean {
  return value(limit, "spike") !== undefined;
}

type Entries = readonly (readonly [string, unknown])[];

function amountsOf(named: Entries, above: Path, below: Path = []): Draft["amounts"] {
  const own = [...readable(named, Amount)].map(([name, found]) => ({
    path: [...above, name, ...below, "at"],
    ...found,
  }));
  const floors = named.map(([name, limit]) => [name, { by: value(limit, "by"), at: floorOf(limit) }] as const);
  const ofSpikes = [...readable(floors, Amount)].map(([name, found]) => ({
    path: [...above, name, ...below, "spike", "at-least"],
    ...found,
  }));
  return [...own, ...ofSpikes];
}

function floorOf(limit: unknown): unknown {
  return value(value(limit, "spike"), "at-least");
}

function subjectsOf(named: Entries, above: Path, below: Path = []): Draft["subjects"] {
  return [...readable(named, Subject)].map(([name, found]) => {
    const key = value(new Map(named).get(name), "of") === undefined ? "by" : "of";
    return { path: [...above, name, ...below, key], ...found };
  });
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
  return `${code} is never counted (${whyIgnored(code)}). Take it out of the list.`;
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
  return subjects.filter(isCountOfEverything).map(({ path }) => ({
    path,
    text: `Twilio counts nothing for \`totalprice\`, so it would never be reached. Write \`${path.at(-1)}: price\`, or another category.`,
  }));
}

function isCountOfEverything({ category, by }: { category: string; by: string }): boolean {
  return category === "totalprice" && by === "count";
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

function fractionsOfThings({ amounts, bys, accounts }: Draft): BrokenRule[] {
  const own = amounts.filter(isFraction).map(({ path, at }) => ({ path, text: wholeNumber(at, path.at(-1)) }));
  const ofAccounts = [...accounts].flatMap(([sid, overrides]) =>
    [...overrides].flatMap(([name, at]) => {
      const by = bys.get(name);
      const isWrong = at !== undefined && by !== undefined && isFraction({ by, at });
      return isWrong ? [{ path: ["accounts", sid, name], text: wholeNumber(at) }] : [];
    }),
  );
  return [...own, ...ofAccounts];
}

function isFraction({ by, at }: { by: string; at: string }): boolean {
  return by === "count" && at.includes(".");
}

function wholeNumber(at: string, key: Path[number] = "at"): string {
  return `Expected a whole number, because \`by: count\` counts things, for example \`${key}: ${roundUp(at, 0)}\`. Got: ${at}.`;
}

/** The sweep reads the usage triggers of an account and nothing else: what none of them counts, it never sees. */
function watchesWithoutTrigger({ watched, subjects }: Draft): BrokenRule[] {
  const isTrigger = ([section, name]: Path) => section === "limits" && !watched.has(String(name));
  const seen = subjects.filter(({ path }) => isTrigger(path));
  return [...watched]
    .filter(([, one]) => !isCountOfEverything(one) && !seen.some((other) => isSameSubject(one, other)))
    .map(([name, subject]) => ({ path: ["limits", name], about: "key", text: withoutTrigger(subject) }));
}

type Subject = z.output<typeof Subject>;

function isSameSubject(one: Subject, other: { category: string; by: string }): boolean {
  return one.category === other.category && one.by === other.by;
}

function withoutTrigger({ category, by }: Subject): string {
  return (
    `The sweep sees what usage triggers count, and none counts \`${category}\` by \`${by}\`. Add a limit that does, ` +
    `for example \`{ category: ${category}, by: ${by}, every: day, at: 1000, then: alert }\`.`
  );
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

function overridesOfNothing(draft: Draft): BrokenRule[] {
  const isLimit = (name: string) => draft.limitNames.includes(name) && !draft.spikeNames.includes(name);
  return [...draft.accounts].flatMap(([sid, overrides]) =>
    [...overrides.keys()]
      .filter((name) => !isLimit(name))
      .map((name) => ({ path: ["accounts", sid, name], about: "key", text: noSuchLimit(name, draft) })),
  );
}

function noSuchLimit(name: string, { limitNames, spikeNames, errorNames }: Draft): string {
  if (spikeNames.includes(name)) return "This is a spike: it compares each account with itself, and has no `at`.";
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
