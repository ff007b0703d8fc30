import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoveryFile, readDiscovery, removeDiscovery, writeDiscovery } from "../../local/discovery.ts";

const found = { url: "http://127.0.0.1:3000", token: "abc", simulatorUrl: "http://127.0.0.1:3001", pid: process.pid };
let root: string;
let dataDir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tollbreaker-"));
  dataDir = join(root, "not", "there", "yet");
});
afterEach(() => rm(root, { recursive: true }));

describe("the discovery file", () => {
  it("reads back what was written, in a directory made for it", async () => {
    await writeDiscovery(dataDir, found);
    expect(await readDiscovery(dataDir)).toEqual(found);
    expect(await readdir(dataDir)).toEqual(["local.json"]);
  });

  it("is its owner's alone, also where a readable one was", async () => {
    await mkdir(dataDir, { recursive: true });
    await writeFile(discoveryFile(dataDir), "{}", { mode: 0o644 });
    await writeDiscovery(dataDir, found);
    expect((await stat(discoveryFile(dataDir))).mode & 0o777).toBe(0o600);
  });

  it("may know no token and no simulator", async () => {
    await writeDiscovery(dataDir, { ...found, token: null, simulatorUrl: null });
    expect(await readDiscovery(dataDir)).toMatchObject({ token: null, simulatorUrl: null });
  });

  it("that isn't there is no error", async () => {
    expect(await readDiscovery(dataDir)).toBeUndefined();
    await removeDiscovery(dataDir);
  });

  it.each(["", "{", "[]", '{"url": "ftp://x", "token": "", "simulatorUrl": 5, "pid": 0}'])(
    "holding %j is refused",
    async (text) => {
      await mkdir(dataDir, { recursive: true });
      await writeFile(discoveryFile(dataDir), text);
      await expect(readDiscovery(dataDir)).rejects.toMatchObject({ code: "discovery-invalid" });
    },
  );

  it("is removed by the process that wrote it, and left when it is another's", async () => {
    await writeDiscovery(dataDir, { ...found, pid: process.pid + 1 });
    await removeDiscovery(dataDir);
    expect(await readDiscovery(dataDir)).toBeDefined();
    await removeDiscovery(dataDir, process.pid + 1);
    expect(await readDiscovery(dataDir)).toBeUndefined();
  });
});
