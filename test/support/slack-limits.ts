import type { ActionsBlockElement, InputBlock, KnownBlock, ModalView } from "@slack/types";

/** What Slack refuses of blocks and forms: https://docs.slack.dev/reference/block-kit and /reference/views/modal-views. */
export function flawsOfBlocks(blocks: readonly KnownBlock[]): string[] {
  return [...(blocks.length > 50 ? ["more than 50 blocks"] : []), ...blocks.flatMap(flawsOfBlock)];
}

export function flawsOfView({ title, submit, close, private_metadata = "", blocks }: ModalView): string[] {
  const inputs = blocks.filter((block): block is InputBlock => block.type === "input");
  const ids = inputs.map(({ block_id }) => block_id);
  return [
    ...text("title", title.text, 24),
    ...text("submit", submit?.text ?? "x", 24),
    ...text("close", close?.text ?? "x", 24),
    ...(private_metadata.length > 3000 ? ["private_metadata is too long"] : []),
    ...(blocks.length > 100 ? ["more than 100 blocks"] : []),
    ...(inputs.length > 0 && submit === undefined ? ["a form with inputs needs submit"] : []),
    ...(new Set(ids).size < ids.length ? ["two blocks with one id"] : []),
    ...blocks.flatMap((block) => flawsOfBlock(block as KnownBlock)),
  ];
}

function flawsOfBlock(block: KnownBlock): string[] {
  switch (block.type) {
    case "header":
      return text("header", block.text.text, 150);
    case "section":
      return [
        ...(block.text === undefined && block.fields === undefined ? ["an empty section"] : []),
        ...text("section", block.text?.text ?? "x", 3000),
        ...((block.fields?.length ?? 1) > 10 || block.fields?.length === 0 ? ["1 to 10 fields"] : []),
        ...(block.fields ?? []).flatMap((field) => text("field", field.text, 2000)),
      ];
    case "context":
      return [
        ...(block.elements.length > 10 ? ["more than 10 elements"] : []),
        ...block.elements.flatMap((element) => ("text" in element ? text("context", element.text, 2000) : [])),
      ];
    case "actions":
      return [...(block.elements.length > 25 ? ["more than 25"] : []), ...block.elements.flatMap(flawsOfAction)];
    case "input":
      return flawsOfInput(block);
    default:
      return [`nobody expected a ${block.type}`];
  }
}

function flawsOfAction(element: ActionsBlockElement): string[] {
  if (element.type !== "button") return [`nobody expected a ${element.type}`];
  const { action_id = "x", value = "x", url = "https://example.com/" } = element;
  return [
    ...text("button", element.text.text, 75),
    ...text("action_id", action_id, 255),
    ...text("value", value, 2000),
    ...(URL.canParse(url) ? text("url", url, 3000) : ["an address that is none"]),
  ];
}

function flawsOfInput({ label, hint, element, block_id = "x" }: InputBlock): string[] {
  const common = [
    ...text("label", label.text, 2000),
    ...text("hint", hint?.text ?? "x", 2000),
    ...text("block_id", block_id, 255),
  ];
  switch (element.type) {
    case "plain_text_input":
      return [...common, ...text("placeholder", element.placeholder?.text ?? "x", 150)];
    case "radio_buttons":
    case "checkboxes":
      return [...common, ...flawsOfOptions(element.options)];
    default:
      return [...common, `nobody expected a ${element.type}`];
  }
}

function flawsOfOptions(options: readonly { text: { text: string }; value?: string }[]): string[] {
  return [
    ...(options.length === 0 || options.length > 10 ? ["1 to 10 options"] : []),
    ...options.flatMap((option) => [
      ...text("option", option.text.text, 75),
      ...text("value", option.value ?? "", 150),
    ]),
  ];
}

/** Slack takes no empty texts either. */
function text(what: string, value: string, most: number): string[] {
  return value.length > 0 && value.length <= most ? [] : [`${what} has ${value.length} characters, not 1 to ${most}`];
}
