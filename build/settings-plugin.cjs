"use strict";

/** The Serverless plugin of build/settings/plugin.ts. CommonJS, because Serverless requires it. */
const { join } = require("node:path");
const loadModule = require("./load-module.cjs");

module.exports = loadModule(join(__dirname, "settings/plugin.ts")).SettingsPlugin;
