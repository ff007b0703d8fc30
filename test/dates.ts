import { spawn } from "node:child_process";
import { once } from "node:events";

// Runs the tests as though each file began at another time: all of them, or those whose paths are given.
//   npm run test:dates [-- <paths and options for vitest>]
// Another time than these: CLOCK_AT=2031-05-01T12:00:00Z npm test -- test/lib/sweep

const BEFORE_MIDNIGHT = "23:59:50Z";
const TIMES = [
  aYearAhead(new Date()),
  `${new Date().getUTCFullYear()}-12-31T${BEFORE_MIDNIGHT}`,
  `2028-02-28T${BEFORE_MIDNIGHT}`,
  `2028-02-29T${BEFORE_MIDNIGHT}`,
];

for (const time of TIMES) {
  console.log(`\nAs though each file began at ${time}:`);
  if (!(await passAt(time))) process.exitCode = 1;
}

function aYearAhead(now: Date): string {
  now.setUTCFullYear(now.getUTCFullYear() + 1);
  return now.toISOString();
}

async function passAt(time: string): Promise<boolean> {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)];
  const running = spawn(process.execPath, vitest, { stdio: "inherit", env: { ...process.env, CLOCK_AT: time } });
  const [code] = await once(running, "exit");
  return code === 0;
}
