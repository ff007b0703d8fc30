"use strict";

/**
 * Puts the checked policy in the place of lib/policy/current-policy.ts: a bundle then holds the policy itself, neither
 * YAML nor a schema, and a wrong policy stops the packaging. serverless-esbuild calls this once for each use of it.
 * CommonJS, because serverless-esbuild requires it.
 */
const { join } = require("node:path");
const loadModule = require("./load-module.cjs");

const LOADER = join(__dirname, "../lib/policy/load-policy.ts");
const CURRENT_POLICY = /[\\/]lib[\\/]policy[\\/]current-policy\.ts$/;

// One packaging asks several times, once for each function.
const plugins = new Map();

module.exports = (serverless) => {
  // Not POLICY_FILE: one that is left over in a shell must not decide what is deployed.
  const path = join(serverless.serviceDir, "policy.yml");
  if (!plugins.has(path)) plugins.set(path, policyPlugin(readPolicy(path, serverless)));
  return [plugins.get(path)];
};

function readPolicy(path, { classes }) {
  const { loadPolicy } = loadModule(LOADER);
  try {
    return loadPolicy({ POLICY_FILE: path });
  } catch (error) {
    // Serverless shows its own errors without a stack, which would hide the message.
    throw error.name === "TollbreakerError" ? new classes.Error(error.message, "POLICY_INVALID") : error;
  }
}

/** JSON, which esbuild turns into a module with these exports. */
function policyPlugin(policy) {
  return {
    name: "policy",
    setup(build) {
      build.onLoad({ filter: CURRENT_POLICY }, () => ({ contents: JSON.stringify({ policy }), loader: "json" }));
    },
  };
}
