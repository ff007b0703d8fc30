import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const page = read("docs/errors.md");

const sources = globSync("{build,lib,handlers,local,cli,bench}/**/*.ts", { cwd: root });
const codesIn = (text: string) => [...text.matchAll(/TollbreakerError\(\s*"([a-z-]+)"/g)].map(([, code]) => code ?? "");
const codes = [...new Set(sources.flatMap((path) => codesIn(read(path))))];

it("reads the codes out of the sources", () => expect(codes.length).toBeGreaterThan(30));
it.each(codes)("docs/errors.md has a row for %s", (code) => {
  expect(page).toContain(`\`${code}\``);
});
