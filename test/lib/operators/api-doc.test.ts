import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { COMMAND_PATHS } from "../../../lib/operators/command-routes.ts";
import { READING_PATHS } from "../../../lib/operators/reading-routes.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = readFileSync(join(ROOT, "docs/api.md"), "utf8");

/** The stable codes in the sources of the operator API that are no errors of ours but answers. */
function answeredCodes(): string[] {
  const folder = join(ROOT, "lib/operators");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const sources = files.map((name) => readFileSync(join(folder, name), "utf8"));
  return sources.flatMap((source) => [...source.matchAll(/\bcode: "([a-z-]+)"/g)].flatMap(([, code]) => code ?? []));
}

it("docs/api.md lists every code that the operator API answers", () => {
  const codes = [...new Set([...answeredCodes(), "body-invalid"])];
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !PAGE.includes(`\`${code}\``))).toEqual([]);
});

it("docs/api.md tells of every address", () => {
  const addresses = [...READING_PATHS.map((path) => `GET ${path}`), ...COMMAND_PATHS.map((path) => `POST ${path}`)];
  expect(
    addresses.map((address) => address.replace(/:(\w+)/g, "{$1}")).filter((one) => !PAGE.includes(`\`${one}\``)),
  ).toEqual([]);
});
