import type { InputBlock, KnownBlock, ModalView, PlainTextElement, PlainTextOption, SectionBlock } from "@slack/types";
import { LIMITS } from "../alerts/slack-message.ts";
import { escaped } from "../alerts/slack-text.ts";
import { LEAST_REASON, MOST_REASON } from "../inbox/commands.ts";
import { type FormId, type FormTarget, writeTarget } from "./form-target.ts";

/** What the forms are made of. Limits: https://docs.slack.dev/reference/views/modal-views */
const MOST = { title: 24, label: 2000, hint: 2000, option: 75 };

/** A block has one element, so its name says nothing. */
const ANSWER = "answer";

export interface FormParts {
  form: FormId;
  title: string;
  submit: string;
  target: FormTarget;
  blocks: readonly KnownBlock[];
}

export function form({ form: callback_id, title, submit, target, blocks }: FormParts): ModalView {
  return {
    ...{ type: "modal", callback_id, private_metadata: writeTarget(target) },
    ...{ title: plain(title, MOST.title), submit: plain(submit, MOST.title), close: plain("Cancel", MOST.title) },
    blocks: [...blocks],
  };
}

/** Instead of a form: words in Slack's mrkdwn, and nothing to send. */
export function notice(title: string, mrkdwn: string): ModalView {
  const blocks: SectionBlock[] = [{ type: "section", text: { type: "mrkdwn", text: mrkdwn, verbatim: true } }];
  return { type: "modal", title: plain(title, MOST.title), close: plain("Close", MOST.title), blocks };
}

export const REASON_BLOCK = "reason";

export function reasonInput(placeholder: string): InputBlock {
  return {
    ...{ type: "input", block_id: REASON_BLOCK, label: plain("Reason", MOST.label) },
    hint: plain("It goes into the incident's record, with your name.", MOST.hint),
    element: {
      ...{ type: "plain_text_input", action_id: ANSWER, multiline: true },
      ...{ min_length: LEAST_REASON, max_length: MOST_REASON, placeholder: plain(placeholder, 150) },
    },
  };
}

export interface Question {
  block: string;
  label: string;
  hint: string;
  options: readonly Choice[];
}

export interface Choice {
  value: string;
  text: string;
}

/** One of the options has to be chosen. */
export function oneOf({ options, ...question }: Question): InputBlock {
  return { ...asked(question), element: { type: "radio_buttons", action_id: ANSWER, options: options.map(option) } };
}

/** Any of the options; at least one where `optional` is false. */
export function anyOf({ options, ...question }: Question, optional: boolean): InputBlock {
  const element = { type: "checkboxes" as const, action_id: ANSWER, options: options.map(option) };
  return { ...asked(question), optional, element };
}

export function shortText(question: Omit<Question, "options">, placeholder: string): InputBlock {
  const element = { type: "plain_text_input" as const, action_id: ANSWER, placeholder: plain(placeholder, 150) };
  return { ...asked(question), optional: true, element };
}

function asked({ block, label, hint }: Omit<Question, "options">) {
  return {
    ...{ type: "input" as const, block_id: block, label: plain(label, MOST.label) },
    ...(hint !== "" && { hint: plain(hint, MOST.hint) }),
  };
}

function option({ value, text }: Choice): PlainTextOption {
  return { value, text: plain(text, MOST.option) };
}

/** Words, shown as they are. */
export function said(words: string): SectionBlock {
  return { type: "section", text: plain(words, LIMITS.section) };
}

function plain(text: string, limit: number): PlainTextElement {
  return { type: "plain_text", text: escaped(text, limit), emoji: false };
}
