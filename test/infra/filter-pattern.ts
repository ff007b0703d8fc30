import * as z from "zod/mini";

const Fields = z.record(z.string(), z.unknown());
const TERM = /\(\$\.(\w+) (!?=) "([^"]*)"\)/g;
const JOINED = /^[\s()!&|01]*$/;

/**
 * Whether a metric filter's pattern counts this line of a log, as CloudWatch decides it for the form that ours have: fields
 * compared with texts, `*` for any characters, joined by && and ||.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 * Throws for any other form, so that nothing passes unseen.
 */
export function counts(pattern: string, line: string): boolean {
  const fields = z.parse(Fields, JSON.parse(line));
  const inner = pattern.replace(/^\{(.*)\}$/, "$1");
  const decided = inner.replace(TERM, (_, field: string, operator: string, text: string) => {
    const isLike = like(text).test(String(fields[field] ?? ""));
    return isLike === (operator === "=") ? "1" : "0";
  });
  if (inner === pattern || !JOINED.test(decided)) throw new Error(`a pattern of another form: ${pattern}`);
  return worth(decided.replaceAll(/\s/g, "")) === "1";
}

function like(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
}

/** Takes `(1&&(0||1))` apart from the innermost brackets outwards. */
function worth(decided: string): string {
  const simpler = decided
    .replace(/\(([01])\)/g, "$1")
    .replace(/([01])&&([01])/, (_, one, other) => (one + other === "11" ? "1" : "0"))
    .replace(/([01])\|\|([01])(?!&)/, (_, one, other) => (one + other === "00" ? "0" : "1"));
  return simpler === decided ? simpler : worth(simpler);
}
