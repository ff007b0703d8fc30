import fc from "fast-check";
import type { CommandKind, Plot, Step } from "./history.ts";
import { FAULT_KINDS, type FaultKind, type PlannedFault } from "./world/faults.ts";
import { FORGERIES, THEFTS } from "./world/thief.ts";
import { FUNCTIONS, type Rules, type Setting } from "./world/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How plots are made up: mostly what happens every day, with something going wrong in the middle of it. */
export function plots(): fc.Arbitrary<Plot> {
  return fc.record({
    setting: fc.record<Setting>({
      accounts: fc.integer({ min: 1, max: 3 }),
      brake: fc.constantFrom(1, 2, 100),
      tampering: fc.constantFrom("alert", "suspend"),
      unlisted: fc.constantFrom("alert", "suspend"),
    }),
    steps: fc
      .array(fc.oneof({ weight: 4, arbitrary: oneStep() }, { weight: 3, arbitrary: scene() }), {
        minLength: 2,
        maxLength: 10,
        size: "max",
      })
      .map((parts) => parts.flat()),
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  });
}

function account(): fc.Arbitrary<number> {
  return fc.nat({ max: 2 });
}

function fault(kinds: readonly FaultKind[] = FAULT_KINDS): fc.Arbitrary<PlannedFault> {
  return fc.record({ at: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom(...kinds) });
}

function plan(): fc.Arbitrary<PlannedFault[]> {
  return fc.array(fault(), { minLength: 1, maxLength: 3 });
}

function pause(): fc.Arbitrary<Step> {
  const short = [10, 50, 150, 400, 1000, 3000];
  const long = [31_000, 150_000, 16 * MINUTE, 7 * HOUR, 15 * HOUR, 25 * HOUR];
  return fc
    .oneof({ weight: 3, arbitrary: fc.constantFrom(...short) }, { weight: 2, arbitrary: fc.constantFrom(...long) })
    .map((ms) => ({ do: "pass", ms }));
}

function outage(isOn = fc.boolean()): fc.Arbitrary<Step> {
  const of = fc.constantFrom("store", "inbox", "follow-up", "sns", "twilio");
  return fc.record({ do: fc.constant("outage" as const), of, isOn });
}

function command(kinds: readonly CommandKind[]): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant("command" as const),
    account: account(),
    command: fc.constantFrom(...kinds),
    cleanup: fc.nat({ max: 15 }),
    acknowledge: fc.constantFrom(true, true, true, false),
    force: fc.boolean(),
  });
}

function spend(): fc.Arbitrary<Step> {
  return fc.record({ do: fc.constant("spend" as const), account: account(), amount: fc.constantFrom(10, 30, 60, 120) });
}

function evaluate(): fc.Arbitrary<Step> {
  const webhooks = fc.constantFrom("deliver", "deliver", "deliver", "lose", "twice", "late");
  return fc.record({ do: fc.constant("evaluate" as const), webhooks });
}

function forging(): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant("forge" as const),
    account: account(),
    forgery: fc.constantFrom(...FORGERIES),
    times: fc.constantFrom(1, 1, 1, 1, 1, 3, 3, 60),
    everyMs: fc.constantFrom(5, 50, 400),
  });
}

function rules(): fc.Arbitrary<Rules> {
  return fc.record({
    mode: fc.constantFrom("enforce", "enforce", "observe"),
    exempt: fc.constantFrom(null, 0, 1),
  });
}

function oneStep(): fc.Arbitrary<Step[]> {
  const commands = ["suspend", "reactivate", "reactivate", "dismiss", "check", "release"] as const;
  const act = fc.constantFrom("activate", "activate", "suspend", "suspend-by-twilio", "close");
  return fc
    .oneof<fc.MaybeWeightedArbitrary<Step>[]>(
      { weight: 5, arbitrary: spend() },
      { weight: 5, arbitrary: evaluate() },
      { weight: 1, arbitrary: fc.constant<Step>({ do: "deliver-late" }) },
      { weight: 8, arbitrary: pause() },
      { weight: 3, arbitrary: fc.constant<Step>({ do: "sweep" }) },
      { weight: 5, arbitrary: command(commands) },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant("fault" as const), of: fc.constantFrom(...FUNCTIONS), plan: plan() }),
      },
      { weight: 2, arbitrary: outage() },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("outside" as const), account: account(), act }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("deploy" as const), rules: rules() }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("theft" as const),
          account: account(),
          theft: fc.constantFrom(...THEFTS),
        }),
      },
      { weight: 3, arbitrary: forging() },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("unsigned" as const), account: account() }) },
    )
    .map((step) => [step]);
}

/** Steps that mean something together: by chance alone few histories would come that far. */
function scene(): fc.Arbitrary<Step[]> {
  return fc.oneof(
    { weight: 4, arbitrary: trip() },
    { weight: 3, arbitrary: comeback() },
    { weight: 2, arbitrary: outageAround(trip()) },
    { weight: 2, arbitrary: fc.tuple(forging(), trip()).map(([forged, steps]) => [forged, ...steps]) },
    { weight: 1, arbitrary: tripAll() },
    { weight: 1, arbitrary: lateNews() },
    {
      weight: 2,
      arbitrary: fc.tuple(rules(), trip()).map(([rules, steps]): Step[] => [{ do: "deploy", rules }, ...steps]),
    },
  );
}

/** It spends too much, its trigger fires, and what comes of that is perhaps cut. */
function trip(): fc.Arbitrary<Step[]> {
  const faulty = fc.option(fc.record({ of: fc.constantFrom("respond", "respond", "webhook"), plan: plan() }), {
    freq: 2,
  });
  return fc
    .tuple(account(), faulty, pause())
    .map(([account, one, after]): Step[] => [
      { do: "spend", account, amount: 120 },
      ...(one === null ? [] : [{ do: "fault", ...one } as Step]),
      { do: "evaluate", webhooks: "deliver" },
      { do: "pass", ms: 400 },
      after,
    ]);
}

/** It is on its way back, and that is cut somewhere; perhaps others trip meanwhile, or it spends again. */
function comeback(): fc.Arbitrary<Step[]> {
  const kinds = ["kill-before", "kill-after", "fail-after", "late", "theft", "server-error"] as const;
  const cuts = fc.array(fc.array(fault(kinds), { minLength: 1, maxLength: 2 }), { maxLength: 3 });
  const again = fc.constantFrom("nothing", "trips", "another-trips");
  return fc
    .tuple(account(), fc.nat({ max: 15 }), cuts, again, pause())
    .map(([account, cleanup, all, then, after]): Step[] => [
      { do: "spend", account, amount: 120 },
      { do: "evaluate", webhooks: "deliver" },
      // Until its check-list was read.
      { do: "pass", ms: 3000 },
      ...all.map((plan): Step => ({ do: "fault", of: "respond", plan })),
      { do: "command", account, command: "reactivate", cleanup, acknowledge: true, force: false },
      { do: "pass", ms: 3000 },
      ...(then === "nothing" ? [] : spending(then === "trips" ? account : account + 1)),
      after,
    ]);
}

/** A webhook is on its way for so long that its account was suspended and brought back meanwhile. */
function lateNews(): fc.Arbitrary<Step[]> {
  return account().map((account): Step[] => [
    { do: "spend", account, amount: 120 },
    { do: "evaluate", webhooks: "late" },
    { do: "command", account, command: "suspend", cleanup: 0, acknowledge: true, force: true },
    { do: "pass", ms: 3000 },
    { do: "command", account, command: "reactivate", cleanup: 0, acknowledge: true, force: false },
    { do: "pass", ms: 3000 },
    { do: "deliver-late" },
    { do: "pass", ms: 400 },
  ]);
}

function spending(account: number): Step[] {
  return [
    { do: "spend", account, amount: 120 },
    { do: "evaluate", webhooks: "deliver" },
  ];
}

function outageAround(steps: fc.Arbitrary<Step[]>): fc.Arbitrary<Step[]> {
  const of = fc.constantFrom("store", "sns", "follow-up", "twilio", "inbox");
  return fc
    .tuple(of, steps, pause())
    .map(([part, during, after]): Step[] => [
      { do: "outage", of: part, isOn: true },
      ...during,
      after,
      { do: "outage", of: part, isOn: false },
    ]);
}

function tripAll(): fc.Arbitrary<Step[]> {
  return pause().map((after): Step[] => [
    ...[0, 1, 2].map((account): Step => ({ do: "spend", account, amount: 120 })),
    { do: "evaluate", webhooks: "deliver" },
    { do: "pass", ms: 3000 },
    after,
  ]);
}
