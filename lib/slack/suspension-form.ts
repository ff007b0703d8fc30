import type { ModalView } from "@slack/types";
import { nameOf } from "../alerts/facts.ts";
import type { Incident } from "../incidents/incident.ts";
import type { Objection } from "../operators/commands/wished.ts";
import { exemptionOf } from "../policy/exemption.ts";
import type { Policy } from "../policy/policy.ts";
import { anyOf, type Choice, form, reasonInput, said } from "./form.ts";
import type { FormTarget } from "./form-target.ts";

export const OBJECTIONS_BLOCK = "acknowledge";

/** The reason, and what the policy says against it, to be acknowledged. */
export function suspensionForm(incident: Incident, policy: Policy, target: FormTarget, now: Date): ModalView {
  const { accountSid } = incident;
  const against = objections(policy, accountSid, now);
  const hint = against.map(({ why }) => why).join("; ");
  const question = { block: OBJECTIONS_BLOCK, label: "The policy is against it", hint, options: against };
  return form({
    ...{ form: "suspend", title: "Suspend now", submit: "Suspend", target },
    blocks: [
      said(`${nameOf(incident)} (${accountSid}): nothing works for it any more, and its live calls are ended.`),
      reasonInput("its traffic of tonight is not theirs"),
      ...(against.length === 0 ? [] : [anyOf(question, false)]),
    ],
  });
}

interface Against extends Choice {
  value: Objection;
  why: string;
}

function objections(policy: Policy, accountSid: string, now: Date): Against[] {
  const exemption = exemptionOf(accountSid, policy, now);
  return [
    ...(exemption === undefined ? [] : [{ ...EXEMPT, why: `the account is exempt (${exemption})` }]),
    ...(policy.mode === "observe" ? [OBSERVE] : []),
  ];
}

const EXEMPT = { value: "exempt", text: "Suspend it although it is exempt" } as const;
const OBSERVE = {
  value: "observe-mode",
  text: "Suspend it although Tollbreaker only observes",
  why: "in observe mode nothing is suspended",
} as const;
