import type { Plugin } from "esbuild";

interface Serverless {
  /** Where serverless.yml is. */
  serviceDir: string;
  classes: { Error: new (message: string, code: string) => Error };
}

/** @throws `classes.Error` when the policy cannot be used, with every problem in its message. */
declare function plugins(serverless: Serverless): Plugin[];

export = plugins;
