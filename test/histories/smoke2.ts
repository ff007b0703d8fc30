import { play } from "./history.ts";
import type { Step } from "./history.ts";
const lines: string[] = [];
const [chance = "1", ...rest] = process.argv.slice(2);
const steps: Step[] = JSON.parse(`[${rest.join(",")}]`);
const found = await play({ setting: { accounts: 1, brake: 1, tampering: "alert", unlisted: "alert" }, seed: Number(chance), steps }, { trace: (l) => lines.push(l) });
console.log(lines.map((l) => l.slice(0, 300)).join("\n"));
console.log(found);
