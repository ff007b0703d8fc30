import type { ModalView } from "@slack/types";
import { nameOf } from "../alerts/facts.ts";
import type { Incident } from "../incidents/incident.ts";
import { form, reasonInput, said } from "./form.ts";
import type { FormTarget } from "./form-target.ts";

export function dismissalForm(incident: Incident, target: FormTarget): ModalView {
  return form({
    ...{ form: "dismiss", title: "Dismiss", submit: "Dismiss", target },
    blocks: [
      said(
        `The incident of ${nameOf(incident)} (${incident.accountSid}) is closed, and nothing is changed on the account.`,
      ),
      reasonInput("their campaign of the week, agreed on with sales"),
    ],
  });
}
