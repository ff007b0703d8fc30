import fc from "fast-check";
import { plots } from "./generator.ts";
import { play } from "./history.ts";
const all = fc.sample(plots(), { seed: 5, numRuns: Number(process.argv[2] ?? 60) });
let found = 0; const codes: Record<string, number> = {};
const t0 = performance.now(); const c0 = process.cpuUsage();
for (const plot of all) { const f = await play(plot); for (const one of new Set(f.map(({ code }) => code))) codes[one] = (codes[one] ?? 0) + 1; found += f.length > 0 ? 1 : 0; }
const cpu = process.cpuUsage(c0);
console.log((performance.now() - t0) / all.length, "ms wall", (cpu.user + cpu.system) / 1000 / all.length, "ms cpu;", found, "failing", codes);
