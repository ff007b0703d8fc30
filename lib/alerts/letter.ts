import type { Fact } from "./alert.ts";

interface Said {
  headline: string;
  facts: readonly Fact[];
  times?: readonly string[];
  incidentUrl?: string;
  nextStep: string;
}

/** The plain text of an alert or a notice, for e-mail. What is empty is left out. */
export function letter({ headline, facts, times = [], incidentUrl = "", nextStep }: Said): string {
  const ending = [
    ...(incidentUrl === "" ? [] : [`Incident: ${incidentUrl}`]),
    ...(nextStep === "" ? [] : [`Next: ${nextStep}`]),
  ];
  return [
    headline,
    "",
    ...facts.map(line),
    ...times.map((value, index) => line({ label: index === 0 ? "Times" : "", value })),
    ...(ending.length === 0 ? [] : ["", ...ending]),
  ].join("\n");
}

function line({ label, value }: Fact): string {
  return `${label.padEnd(12)} ${value}`;
}
