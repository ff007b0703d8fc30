import { ChildProcess } from "node:child_process";
import { promises as files } from "node:fs";
import { ServerResponse } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { beginAt, sameDate, shiftOfDate } from "./shifted-date.ts";

// Preloaded into every process of a test run at another date (`npm run test:dates`): shifts what Date says of now, by
// CLOCK_OFFSET milliseconds, or so that this process begins at CLOCK_AT (an ISO time). With it go what Node takes from the
// system's clock by itself: the header Date of its servers' answers (the AWS SDK corrects its clock by that), and the
// times of files as far as they are used here. The processes that this one starts are shifted by as much, whatever
// environment they are given. Timers and monotonic clocks stay as they are.

const { CLOCK_AT = "", CLOCK_OFFSET } = process.env;
const begin = CLOCK_OFFSET === undefined ? Date.parse(CLOCK_AT) : Date.now() + Number(CLOCK_OFFSET);
if (!Number.isFinite(begin)) throw new Error(`CLOCK_AT: expected a time such as 2028-02-28T23:59:50Z, got ${CLOCK_AT}`);
beginAt(new Date(begin));

// The processes that this one starts get theirs below: nobody else has to know.
if (CLOCK_OFFSET !== undefined) delete process.env["NODE_OPTIONS"];
for (const own of ["CLOCK_AT", "CLOCK_OFFSET"]) delete process.env[own];

const { writeHead } = ServerResponse.prototype;
ServerResponse.prototype.writeHead = function writeShifted(this: ServerResponse, ...parameters: unknown[]) {
  if (this.sendDate && !this.headersSent && !this.hasHeader("date")) this.setHeader("Date", new Date().toUTCString());
  return Reflect.apply(writeHead, this, parameters);
};

const { stat, utimes } = files;
const bySystem = (seconds: number) => seconds - shiftOfDate() / 1000;
Object.assign(files, {
  async stat(path: string) {
    const stats = await stat(path);
    stats.mtimeMs += shiftOfDate();
    return stats;
  },
  utimes: (path: string, read: number, written: number) => utimes(path, bySystem(read), bySystem(written)),
});
syncBuiltinESMExports();

/** What all of `spawn`, `execFile` and `fork` end in. */
interface Starting {
  spawn(options: { envPairs: string[] }): number;
}
const starting = ChildProcess.prototype as unknown as Starting;
const { spawn } = starting;
starting.spawn = function spawnShifted(this: ChildProcess, options) {
  const same = Object.entries(sameDate()).map(([name, value]) => `${name}=${value}`);
  const others = options.envPairs.filter((pair) => !/^(CLOCK_OFFSET|NODE_OPTIONS)=/.test(pair));
  return spawn.call(this, { ...options, envPairs: [...others, ...same] });
};
