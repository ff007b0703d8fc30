import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, TollbreakerError } from "../../lib/errors.ts";
import { nearest } from "../../lib/policy/nearest.ts";

/** Where the settings of a stage are kept, from the directory of serverless.yml. */
const DIRECTORY = "stages";

export interface StageFile {
  /** As a person in that directory would write it. */
  name: string;
  /** Undefined when there is no such file. */
  text: string | undefined;
}

/** @throws TollbreakerError `stage-file-unreadable`: it is there, and can't be read or is named otherwise */
export function loadStageFile(serviceDir: string, stage: string): StageFile {
  const name = `${DIRECTORY}/${stage}.yml`;
  const names = filesIn(serviceDir);
  if (names.includes(`${stage}.yml`)) return { name, text: textOf(serviceDir, name) };
  const other = names.find((file) => file.toLowerCase().replace(/\.yaml$/, ".yml") === `${stage}.yml`.toLowerCase());
  if (other === undefined) return { name, text: undefined };
  throw new TollbreakerError("stage-file-unreadable", `The settings of the stage ${stage} are looked for in ${name}.`, {
    got: `${DIRECTORY}/${other}`,
    fix: `mv ${DIRECTORY}/${other} ${name}`,
  });
}

/** For whoever deploys a stage that has no file yet: a stage that is new, or a name with a slip in it. */
export function missingStageFile(serviceDir: string, stage: string): TollbreakerError {
  const stages = filesIn(serviceDir).flatMap((file) => /^([\w-]+)\.yml$/.exec(file)?.[1] ?? []);
  const meant = nearest(stage, stages);
  const there = stages.length === 0 ? "no stage has one" : `there are files for: ${stages.join(", ")}`;
  return new TollbreakerError("stage-file-missing", `The stage ${stage} has no settings.`, {
    expected: `a file ${DIRECTORY}/${stage}.yml`,
    got: meant === undefined ? there : `${there} (did you mean --stage ${meant}?)`,
    fix: `cp ${DIRECTORY}/prod.example.yml ${DIRECTORY}/${stage}.yml, say in it who gets the alerts, and keep it with the code`,
  });
}

function filesIn(serviceDir: string): string[] {
  try {
    return readdirSync(join(serviceDir, DIRECTORY)).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function textOf(serviceDir: string, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(join(serviceDir, name)));
  } catch (cause) {
    throw new TollbreakerError("stage-file-unreadable", `${name} cannot be read: ${messageOf(cause)}.`, {
      expected: "a text file in UTF-8",
      cause,
    });
  }
}
