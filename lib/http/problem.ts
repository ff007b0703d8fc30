/**
 * An error answer a person and a program can both act on: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457.
 * A 5xx says nothing about the inside: its reason belongs in the log.
 */
export interface Problem {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 500 | 503;
  /** Stable, kebab-case: what programs compare. Never reworded. */
  code: string;
  /** The same words for each problem of this code. */
  title: string;
  /** What failed this time. */
  detail: string;
  expected?: string;
  got?: string;
  fix?: string;
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
