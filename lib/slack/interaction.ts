import * as z from "zod/mini";
import { BUTTONS, type ButtonId } from "./buttons.ts";
import { FORMS, type FormId, type FormTarget, readTarget } from "./form-target.ts";

/** What a person did in Slack, as far as it means anything here. */
export type Interaction =
  | Press
  | Submission
  /** Such as the press of a link: Slack wants an answer, and nothing is to be done. */
  | { kind: "ignored"; what: string };

/** Who did it: https://docs.slack.dev/reference/interaction-payloads */
export interface SlackUser {
  /** A user's ID: U012ABCDEF. */
  id: string;
  /** The workspace's ID; null where Slack names none. */
  team: string | null;
}

export interface Press {
  kind: "press";
  button: ButtonId;
  incidentId: string;
  user: SlackUser;
  /** With which a form can be opened, once, within three seconds. */
  triggerId: string;
  /** Where a private answer can be posted to; empty where Slack named none. */
  responseUrl: string;
  /** The message under which the button is; null where Slack does not say. */
  message: { channel: string; ts: string } | null;
}

export interface Submission {
  kind: "submission";
  form: FormId;
  /** The form's own ID: each opening has another. */
  viewId: string;
  user: SlackUser;
  target: FormTarget;
  values: FormValues;
}

/** By the block: what was written, or the values of the options that were chosen. */
export type FormValues = ReadonlyMap<string, FormValue>;
interface FormValue {
  text: string;
  chosen: readonly string[];
}

const Id = z.object({ id: z.string() });
const User = z.object({ id: z.string(), team_id: z.optional(z.string()) });
const by = { user: User, team: z.optional(z.nullable(Id)) };

const BlockActions = z.object({
  type: z.literal("block_actions"),
  ...by,
  trigger_id: z.string(),
  response_url: z._default(z.string(), ""),
  channel: z.optional(Id),
  message: z.optional(z.object({ ts: z.string(), thread_ts: z.optional(z.string()) })),
  actions: z.array(z.object({ action_id: z.string(), value: z.optional(z.string()) })),
});

const Option = z.object({ value: z.string() });
const Element = z.object({
  value: z.optional(z.nullable(z.string())),
  selected_option: z.optional(z.nullable(Option)),
  selected_options: z.optional(z.nullable(z.array(Option))),
});
const ViewSubmission = z.object({
  type: z.literal("view_submission"),
  ...by,
  view: z.object({
    id: z.string().check(z.minLength(1), z.maxLength(64)),
    callback_id: z.string(),
    private_metadata: z.string(),
    state: z.object({ values: z.record(z.string(), z.record(z.string(), Element)) }),
  }),
});

const Payload = z.discriminatedUnion("type", [BlockActions, ViewSubmission]);
const Typed = z.object({ type: z.string() });

/** Reads the body of a verified request: a form with one field. Undefined where it is nothing that Slack sends. */
export function readInteraction(body: string): Interaction | undefined {
  const json = parse(new URLSearchParams(body).get("payload") ?? "");
  const payload = z.safeParse(Payload, json);
  if (payload.success)
    return payload.data.type === "block_actions" ? pressIn(payload.data) : submissionIn(payload.data);
  const other = z.safeParse(Typed, json);
  return other.success && !isOurs(other.data.type) ? { kind: "ignored", what: other.data.type } : undefined;
}

function isOurs(type: string): boolean {
  return type === "block_actions" || type === "view_submission";
}

function pressIn({ actions, channel, message, ...press }: z.infer<typeof BlockActions>): Interaction {
  const [action] = actions;
  const button = BUTTONS.find((id) => id === action?.action_id);
  if (button === undefined || action?.value === undefined)
    return { kind: "ignored", what: action?.action_id ?? "nothing" };
  const ts = message?.thread_ts ?? message?.ts;
  return {
    ...{ kind: "press", button, incidentId: action.value, user: userOf(press) },
    ...{ triggerId: press.trigger_id, responseUrl: press.response_url },
    message: channel === undefined || ts === undefined ? null : { channel: channel.id, ts },
  };
}

function submissionIn({ view, ...submission }: z.infer<typeof ViewSubmission>): Interaction | undefined {
  const form = FORMS.find((id) => id === view.callback_id);
  if (form === undefined) return { kind: "ignored", what: view.callback_id };
  const target = readTarget(view.private_metadata);
  if (target === undefined) return undefined;
  const values = new Map(Object.entries(view.state.values).map(([block, elements]) => [block, answerIn(elements)]));
  return { kind: "submission", form, viewId: view.id, user: userOf(submission), target, values };
}

/** A block has one element. */
function answerIn(elements: Readonly<Record<string, z.infer<typeof Element>>>): FormValue {
  const [element] = Object.values(elements);
  const one = element?.selected_option;
  const chosen = one ? [one] : (element?.selected_options ?? []);
  return { text: element?.value ?? "", chosen: chosen.map(({ value }) => value) };
}

// In a channel that workspaces share, the user's own is the one that counts.
function userOf({ user, team }: Pick<z.infer<typeof ViewSubmission>, "user" | "team">): SlackUser {
  return { id: user.id, team: user.team_id ?? team?.id ?? null };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
