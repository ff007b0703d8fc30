import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { parse } from "yaml";
import * as z from "zod/mini";
import policyPlugin from "../build/policy-plugin.cjs";

const REPOSITORY = resolve(import.meta.dirname, "..");
/** What is built into the functions; that of the repository holds back what the bench measures. */
export const BENCH_POLICY = join(import.meta.dirname, "policy.yml");

/** serverless-esbuild's two own options, and esbuild's: those esbuild itself refuses when they are wrong. */
type Settings = BuildOptions & { exclude: string[]; outputFileExtension: string };
const OwnOptions = z.looseObject({ exclude: z.array(z.string()), outputFileExtension: z.string() });

const Stack = z.object({
  custom: z.object({ esbuild: z.custom<Settings>((value) => z.safeParse(OwnOptions, value).success) }),
  functions: z.record(z.string(), z.object({ handler: z.string() })),
});

export interface Bundles {
  /** Paths of the built handlers, by the name of their file: `usage-trigger`. */
  handlers: Record<string, string>;
  /** The built peer or process, by the name of its file. */
  built(name: string): string;
  remove(): Promise<void>;
}

/** What is built beside the handlers, with the very same settings. */
const BESIDE = {
  empty: new URL("./peers/empty.ts", import.meta.url),
  naive: new URL("./peers/naive.ts", import.meta.url),
  lean: new URL("./peers/lean.ts", import.meta.url),
  // Built too, so that the fresh processes do not pay for Node's reading of TypeScript.
  "cold-start": new URL("./processes/cold-start.ts", import.meta.url),
};

/** Builds each function of serverless.yml as serverless-esbuild does, and the peers in the same way. */
export async function buildBundles(): Promise<Bundles> {
  const outdir = await mkdtemp(join(tmpdir(), "tollbreaker-bundles-"));
  const { settings, handlers } = await readStack();
  const beside = Object.entries(BESIDE).map(([name, url]) => [name, fileURLToPath(url)]);
  const entryPoints = Object.fromEntries([...handlers.map((path) => [basename(path), `${path}.ts`]), ...beside]);
  await build({ ...esbuildOptions(settings), entryPoints, outdir, absWorkingDir: REPOSITORY, logLevel: "silent" });
  const built = (name: string) => join(outdir, name + settings.outputFileExtension);
  return {
    handlers: Object.fromEntries(handlers.map((path) => [basename(path), built(basename(path))])),
    built,
    remove: () => rm(outdir, { recursive: true, force: true }),
  };
}

async function readStack() {
  const text = await readFile(join(REPOSITORY, "serverless.yml"), "utf8");
  // CloudFormation's tags (!Ref, !GetAtt) mean nothing here: silent about them.
  const stack = z.parse(Stack, parse(text, { merge: true, logLevel: "silent" }));
  const handlers = Object.values(stack.functions).map(({ handler }) => handler.replace(/\.\w+$/, ""));
  return { settings: stack.custom.esbuild, handlers };
}

// serverless-esbuild's `plugins` names the file that makes them; its `exclude` is esbuild's `external`, and the extension
// has an option of another shape.
function esbuildOptions({ exclude, outputFileExtension, ...options }: Settings): BuildOptions {
  // It looks for `policy.yml` there: BENCH_POLICY.
  const plugins = policyPlugin({ serviceDir: import.meta.dirname, classes: { Error } });
  return { ...options, plugins, external: exclude, outExtension: { ".js": outputFileExtension } };
}
