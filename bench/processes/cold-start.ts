import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * A fresh process that imports one built handler, and answers one event if there is one.
 * Arguments: the bundle, and the event as JSON. Reports on file descriptor 3.
 */
const [bundle = "", event] = process.argv.slice(2);

const begun = performance.now();
const { handler } = await import(pathToFileURL(bundle).href);
const imported = performance.now();
const statusCode = event === undefined ? null : (await handler(JSON.parse(event), {})).statusCode;
const answered = performance.now();

writeSync(
  3,
  JSON.stringify({
    imported: imported - begun,
    // performance.now() counts from the start of the process.
    sinceProcessStart: imported,
    answered: answered - begun,
    statusCode,
  }),
);
process.exit(0);
