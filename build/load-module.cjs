"use strict";

/**
 * Bundles a TypeScript file of the project and loads it, because Serverless runs under any Node from 20 on, which need not
 * know TypeScript. AWS's SDK, which deploying alone needs, is left where it is: bundling it would take seconds.
 */
const { createRequire } = require("node:module");
const { pathToFileURL } = require("node:url");
const { compileFunction } = require("node:vm");
const { buildSync } = require("esbuild");

module.exports = function loadModule(file) {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["@aws-sdk/*"],
    // What is compiled here has no import() of its own; require is given to it.
    supported: { "dynamic-import": false },
    define: { "import.meta.url": JSON.stringify(pathToFileURL(file).href) },
  });
  const module = { exports: {} };
  compileFunction(outputFiles[0].text, ["module", "exports", "require"], { filename: file })(
    module,
    module.exports,
    createRequire(file),
  );
  return module.exports;
};
