import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import * as YAML from "yaml";
import * as z from "zod/mini";
import { jsonLog } from "../../lib/log.ts";
import { startSweepRig } from "../lib/sweep/sweep-rig.ts";
import { dashboardBody } from "./dashboard-body.ts";
import { ALARMED_METRICS, ALARMS } from "./expected-alarms.ts";

/** What `Fn::Sub` makes of it is the stack's name, as the functions have it in METRICS_NAMESPACE. */
const NAMESPACE = `\${AWS::StackName}`;
/** Measured, and on purpose not on the dashboard. */
const LEFT_OUT = {
  ErrorEventsNotOurs: "errors of other parents' accounts, which one's own Event Streams sink never brings",
};

const Widget = z.looseObject({
  type: z.enum(["text", "alarm", "metric"]),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  properties: z.looseObject({ metrics: z.optional(z.array(z.array(z.unknown()))), region: z.optional(z.string()) }),
});
const { widgets } = z.parse(z.object({ widgets: z.array(Widget) }), JSON.parse(dashboardBody()));
const metrics = widgets.flatMap(({ properties }) => properties.metrics ?? []);
const shown = metrics.filter(([namespace]) => namespace === NAMESPACE).map(([, name]) => String(name));

const ROOT = resolve(import.meta.dirname, "../..");
const sources = globSync("lib/**/*.ts", { cwd: ROOT }).map((path) => ({
  path,
  code: readFileSync(join(ROOT, path), "utf8"),
}));
/** The first argument of each `log.count(...)` and `log.measure(...)` in lib/. */
const named = sources.flatMap(({ path, code }) =>
  [...code.matchAll(/\blog\.(?:count|measure)\(\s*([^,]+),/g)].map(([, name = ""]) => ({ path, name })),
);
/** What serverless.yml has CloudWatch count from the API's access log. */
const Filter = z.object({
  Type: z.literal("AWS::Logs::MetricFilter"),
  Properties: z.object({ MetricTransformations: z.array(z.object({ MetricName: z.string() })) }),
});
const Stack = z.object({ resources: z.object({ Resources: z.record(z.string(), z.unknown()) }) });
// Intrinsic functions (`!Ref`) stay as they are written: only names are read.
const written = YAML.parse(readFileSync(join(ROOT, "serverless.yml"), "utf8"), { logLevel: "silent", merge: true });
const filtered = Object.values(z.parse(Stack, written).resources.Resources).flatMap((resource) => {
  const filter = z.safeParse(Filter, resource);
  return filter.success ? filter.data.Properties.MetricTransformations.map(({ MetricName }) => MetricName) : [];
});
const isLiteral = ({ name }: { name: string }) => /^"\w+"$/.test(name);

let ofSweep: Record<string, number>;
beforeAll(async () => {
  const rig = await startSweepRig();
  await rig.sweep();
  ofSweep = rig.metrics();
  await rig.close();
});

describe("the metrics of lib/", () => {
  test("are named where they are emitted, but for the sweep's, which are emitted here", () => {
    expect(named.filter((one) => !isLiteral(one)).map(({ path }) => path)).toEqual(["lib/sweep/finish-sweep.ts"]);
  });

  test("each are on the dashboard, or left out on purpose", () => {
    expect(Object.keys(ofSweep).length).toBeGreaterThan(10);
    expect([...new Set(shown), ...Object.keys(LEFT_OUT)].sort()).toEqual(emitted());
  });

  test("are the only ones that an alarm waits for", () => {
    expect(ALARMED_METRICS.length).toBeGreaterThan(2);
    expect(emitted()).toEqual(expect.arrayContaining(ALARMED_METRICS));
  });

  test("have no dimension, and the dashboard asks for none", () => {
    const own = metrics.filter(([namespace]) => namespace === NAMESPACE);
    for (const metric of own) expect(metric).toEqual([NAMESPACE, expect.any(String), expect.any(Object)]);
    for (const alarm of Object.values(ALARMS))
      if ("MetricName" in alarm && ALARMED_METRICS.includes(alarm.MetricName))
        expect(alarm).not.toHaveProperty("Dimensions");
    const lines: string[] = [];
    jsonLog((line) => lines.push(line)).count("Signals", 1);
    expect(lines.join()).toContain('"Dimensions":[[]]');
  });
});

describe("the dashboard", () => {
  test("lies on CloudWatch's grid of 24 columns, and no widget on another", () => {
    const cells = widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)},${y + Math.floor(cell / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
  });

  test("shows the region that it is deployed to", () => {
    const regions = widgets.filter(({ type }) => type === "metric").map(({ properties }) => properties.region);
    expect(new Set(regions)).toEqual(new Set([`\${AWS::Region}`]));
  });
});

/** What the code names, what a sweep emits beyond that, and what is counted from the access log. */
function emitted(): string[] {
  const literal = named.filter(isLiteral).map(({ name }) => name.slice(1, -1));
  return [...new Set([...literal, ...Object.keys(ofSweep), ...filtered])].sort();
}
