import type { ModalView } from "@slack/types";
import { nameOf } from "../alerts/facts.ts";
import type { Incident } from "../incidents/incident.ts";
import { objections } from "../operators/commands/objections.ts";
import type { Objection } from "../operators/commands/wished.ts";
import type { Policy } from "../policy/policy.ts";
import { anyOf, form, reasonInput, said } from "./form.ts";
import type { FormTarget } from "./form-target.ts";

export const OBJECTIONS_BLOCK = "acknowledge";

/** The reason, and what the policy says against it, to be acknowledged. */
export function suspensionForm(incident: Incident, policy: Policy, target: FormTarget, now: Date): ModalView {
  const { accountSid } = incident;
  const against = objections(policy, accountSid, now);
  const hint = against.map(({ why }) => why).join("; ");
  const options = against.map(({ id }) => ({ value: id, text: CHOICES[id] }));
  const question = { block: OBJECTIONS_BLOCK, label: "The policy is against it", hint, options };
  return form({
    ...{ form: "suspend", title: "Suspend now", submit: "Suspend", target },
    blocks: [
      said(`${nameOf(incident)} (${accountSid}): nothing works for it any more, and its live calls are ended.`),
      reasonInput("its traffic of tonight is not theirs"),
      ...(against.length === 0 ? [] : [anyOf(question, false)]),
    ],
  });
}

const CHOICES = {
  exempt: "Suspend it although it is exempt",
  "observe-mode": "Suspend it although Tollbreaker only observes",
} as const satisfies Record<Objection, string>;
