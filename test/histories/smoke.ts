import { described, explore } from "./runner.ts";
import { play } from "./history.ts";
const begun = performance.now();
const outcome = await explore({ seed: Number(process.argv[2] ?? 1), histories: Number(process.argv[3] ?? 20), within: 100_000, except: (process.argv[4] ?? "").split(",") });
console.log(described(outcome), (performance.now() - begun) / outcome.played);
if (outcome.failure && process.env["TRACE"]) {
  const lines: string[] = [];
  await play(outcome.failure.plot, { trace: (line) => lines.push(line) });
  console.log(lines.map((l) => l.slice(0, 330)).join("\n"));
}
