import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { composeAlert } from "../../../lib/alerts/compose.ts";
import { examples } from "./examples.ts";

const page = readFileSync(new URL("../../../docs/alerts.md", import.meta.url), "utf8");

it.each(Object.entries(examples))("docs/alerts.md shows the alert '%s' as it is really sent", (_, occasion) => {
  const { subject, text } = composeAlert(occasion);
  expect(page).toContain(`\`\`\`text\nSubject: ${subject}\n\n${text}\n\`\`\``);
});

it("docs/alerts.md names every field of the JSON form", () => {
  for (const field of Object.keys(composeAlert(examples.suspended))) expect(page).toContain(`| \`${field}\` |`);
});
