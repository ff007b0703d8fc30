import fc from "fast-check";
import { plots } from "./generator.ts";
import { play } from "./history.ts";
const all = fc.sample(plots(), { seed: Number(process.argv[2] ?? 5), numRuns: Number(process.argv[3] ?? 60) });
let differ = 0;
for (const plot of all) {
  const runs: string[][] = [];
  for (const _ of [1, 2]) { const lines: string[] = []; await play(plot, { trace: (l) => lines.push(l.replace(/"timestamp":"[^"]*"/g, "").replace(/-[0-9a-f]{8}(:armed|"|:)/g, "")) }); runs.push(lines); }
  const [a = [], b = []] = runs;
  const at = a.findIndex((l, i) => l !== b[i]);
  if (at >= 0 || a.length !== b.length) { differ++; if (differ < 4) console.log("differs at", at, "\n ", a.slice(Math.max(0,at - 2), at + 2).join("\n  ").slice(0, 900), "\n--\n ", b.slice(Math.max(0,at-2), at + 2).join("\n  ").slice(0, 900)); }
}
console.log(differ, "of", all.length, "differ");
