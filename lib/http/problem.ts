/**
 * An error answer a person and a program can both act on: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457.
 * A 5xx says nothing about the inside: its reason belongs in the log.
 */
export interface Problem extends Mistake, Extensions {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  /** The same words for each problem of this code. */
  title: string;
  /** Each mistake by itself, where there are several: `code` is then the first one's. */
  errors?: readonly Mistake[];
}

/** One thing that is wrong, and how to mend it. */
export interface Mistake {
  /** Stable, kebab-case: what programs compare. Never reworded. */
  code: string;
  /** What failed this time. */
  detail: string;
  expected?: string;
  got?: string;
  fix?: string;
}

/** Members beyond those that every problem has: RFC 9457, section 3.2. */
interface Extensions {
  /** The state that a thing is in, and that is in the way. */
  state?: string;
  /** What has to be answered first. */
  missing?: readonly Missing[];
  /** What has to be looked at first: the check-list as it is on record. */
  checklist?: ShownChecklist;
  /** Of a request for several incidents: those that need a person's look, each by itself. */
  leftOut?: readonly LeftOut[];
}

/** An incident that a request for several does not carry out, and why: what it would be refused for alone. */
export interface LeftOut {
  id: string;
  accountSid: string | null;
  code: string;
  why: string;
}

/** A check-list as the operator API shows it; its digest says which one is answered. */
export interface ShownChecklist {
  readAt: string;
  items: readonly { id: string; answer: string; why: string }[];
  account?: string | undefined;
  digest: string;
}

export interface Missing {
  id: string;
  /** How it was found, where it was looked at. */
  answer?: string;
  why: string;
}

/** Beyond this many nobody reads on. */
const MOST_MISTAKES = 10;

/** All of `mistakes` as one, so that nobody has to find them one by one; undefined when there is none. */
export function together(mistakes: readonly Mistake[]): (Mistake & Pick<Problem, "errors">) | undefined {
  const [first, ...others] = mistakes;
  if (first === undefined || others.length === 0) return first;
  const named = mistakes.slice(0, MOST_MISTAKES);
  const more = mistakes.length > named.length ? ` And ${mistakes.length - named.length} more.` : "";
  return {
    code: first.code,
    detail: `${named.map(({ detail }) => detail).join(" ")}${more}`,
    ...joined("expected", named),
    ...joined("got", named),
    ...joined("fix", named),
    errors: named,
  };
}

function joined(member: "expected" | "got" | "fix", mistakes: readonly Mistake[]) {
  const texts = new Set(mistakes.flatMap((mistake) => mistake[member] ?? []));
  return texts.size === 0 ? {} : { [member]: [...texts].join("; ") };
}

/** The answer for `problem`; never cached. `headers` are those its status requires, such as `Allow`. */
export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  // The type identifies the kind of problem; it is a name, not an address, because installations have no common host.
  const body = { type: `urn:problem-type:tollbreaker:${problem.code}`, ...problem };
  return new Response(JSON.stringify(body), {
    status: problem.status,
    headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", ...headers },
  });
}

// Longer input is echoed only in part: enough to recognise it, too little to fill a log or a screen.
const LONGEST_QUOTE = 80;

/** `text` from outside, in quotes and cut to a readable length, for a problem's `got`. */
export function quote(text: string): string {
  const characters = [...text];
  if (characters.length <= LONGEST_QUOTE) return JSON.stringify(text);
  return `${JSON.stringify(characters.slice(0, LONGEST_QUOTE).join(""))}... (${characters.length} characters)`;
}
