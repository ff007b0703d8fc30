import * as z from "zod/mini";

export const FORMS = ["reactivate", "suspend", "dismiss"] as const;
export type FormId = (typeof FORMS)[number];

/** What a form is about. It travels with the form, because Slack keeps no session. */
const FormTarget = z.object({
  incidentId: z.string(),
  accountSid: z.string(),
  /** The incident's message in Slack; null where it is not known. */
  message: z.nullable(z.object({ channel: z.string(), ts: z.string() })),
  /** The digest of the check-list that the form shows, and whether it shows it because the one before was another. */
  checklist: z.exactOptional(z.string()),
  isAskedAgain: z.exactOptional(z.literal(true)),
});
export type FormTarget = z.infer<typeof FormTarget>;

export function readTarget(metadata: string): FormTarget | undefined {
  try {
    return z.safeParse(FormTarget, JSON.parse(metadata)).data;
  } catch {
    return undefined;
  }
}

export function writeTarget(target: FormTarget): string {
  return JSON.stringify(target);
}
