import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inCommands } from "../../cli/in-commands.ts";

describe("inCommands", () => {
  it.each([
    ["an id from GET /api/incidents, such as 1", "an id from incidents list, such as 1"],
    ["look for it: GET /api/incidents?account={sid}", "look for it: incidents list --account SID"],
    ["GET /api/incidents/{id} shows how far it is", "incidents show ID shows how far it is"],
    ["suspend it (POST /api/subaccounts/{sid}/suspend), or wait", "suspend it (suspend SID), or wait"],
    [
      "mend it, have it cleaned up (`cleanup`), or accept it (`acknowledge`)",
      "mend it, have it cleaned up (--cleanup), or accept it (--acknowledge)",
    ],
    ["name in `countries` those that may be called", "name in --countries those that may be called"],
    ['send "acknowledge": ["exempt","observe-mode"]', "add --acknowledge exempt,observe-mode"],
    ["the clean-up `voice-countries`", "the clean-up `voice-countries`"],
    ["GET /api/something-new", "GET /api/something-new"],
  ])("%s", (said, typed) => {
    expect(inCommands(said)).toBe(typed);
  });

  it("knows every request that the operator API names in its advice", async () => {
    const folder = fileURLToPath(new URL("../../lib/operators", import.meta.url));
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
    const sources = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
    const advice = sources.flatMap((text) => text.match(/"[^"\n]*\b(?:GET|POST) \/api\/[^"\n]*"/g) ?? []);
    expect(advice.length).toBeGreaterThan(5);
    for (const text of advice) expect(inCommands(text)).not.toContain("/api/");
  });
});
