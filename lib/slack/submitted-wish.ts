import { CHECK_IDS, CLEANUP_IDS } from "../incidents/checklist.ts";
import { OBJECTIONS, type Wished } from "../operators/commands/wished.ts";
import { REASON_BLOCK } from "./form.ts";
import type { FormTarget } from "./form-target.ts";
import type { FormValues, Submission } from "./interaction.ts";
import { CLEANUP_BLOCK, COUNTRIES_BLOCK, checkBlock } from "./reactivation-form.ts";
import { OBJECTIONS_BLOCK } from "./suspension-form.ts";

/** What a filled-in form asks for. Sent again unchanged, it is the same request: the view names it. */
export function wishIn({ form, viewId, target, values }: Submission): Wished {
  const { incidentId, accountSid } = target;
  const asked = { reason: textIn(values, REASON_BLOCK), requestId: viewId };
  switch (form) {
    case "reactivate":
      return { kind: "reactivate", incidentId, ...asked, ...answersIn(values, target) };
    case "suspend":
      return {
        kind: "suspend",
        accountSid,
        ...asked,
        acknowledge: among(OBJECTIONS, chosenIn(values, OBJECTIONS_BLOCK)),
      };
    case "dismiss":
      return { kind: "dismiss", incidentId, ...asked };
  }
}

function answersIn(values: FormValues, target: FormTarget) {
  const { checklist } = target;
  const answered = (answer: string) => (id: string) => chosenIn(values, checkBlock(id, target)).includes(answer);
  const further = among(CLEANUP_IDS, chosenIn(values, CLEANUP_BLOCK));
  return {
    acknowledge: CHECK_IDS.filter(answered("acknowledge")),
    cleanup: CLEANUP_IDS.filter((id) => answered("cleanup")(id) || further.includes(id)),
    countries: countriesIn(textIn(values, COUNTRIES_BLOCK)),
    ...(checklist !== undefined && { checklist }),
  };
}

function countriesIn(text: string): string[] {
  return text
    .toUpperCase()
    .split(/[\s,;]+/)
    .filter((code) => code !== "");
}

function textIn(values: FormValues, block: string): string {
  return values.get(block)?.text ?? "";
}

function chosenIn(values: FormValues, block: string): readonly string[] {
  return values.get(block)?.chosen ?? [];
}

function among<T extends string>(known: readonly T[], given: readonly string[]): T[] {
  return known.filter((id) => given.includes(id));
}
