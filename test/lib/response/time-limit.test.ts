import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Clock } from "../../../lib/clock.ts";
import { endLiveCalls } from "../../../lib/response/end-calls.ts";
import { extended, LAST_LOOK_MS, limitedTo } from "../../../lib/response/time-limit.ts";
import type { Answer, TwilioClient } from "../../../lib/twilio/client.ts";
import { noAnswer } from "../../../lib/twilio/failures.ts";
import { virtualTime } from "../../support/virtual-time.ts";

// Time that passes only when somebody waits for it: a whole delivery of a Twilio that hangs, in no time.

const PARENT = `AC${"0".repeat(32)}`;
const ACCOUNT = `AC${"1".repeat(32)}`;

/** A Twilio that answers `bodyOf` each request `takes` ms later, or never, when that is longer than it is waited for. */
function slowTwilio(clock: Clock, takes: (path: string) => number, bodyOf: (path: string, form: unknown) => unknown) {
  const asked: { path: string; timeoutMs: number; at: number }[] = [];
  const twilio: TwilioClient = {
    accountSid: PARENT,
    async send({ path, form, answer, timeoutMs }) {
      asked.push({ path, timeoutMs, at: clock.now().getTime() });
      await clock.sleep(Math.min(takes(path), timeoutMs));
      const body = z.safeParse(answer, bodyOf(path, form));
      const hangs = takes(path) > timeoutMs || !body.success;
      const result: Answer<z.output<typeof answer>> = hangs
        ? { kind: "failed", failure: noAnswer("no answer in time") }
        : { kind: "ok", body: body.data };
      return result;
    },
  };
  return { twilio, asked };
}

const NEVER = () => Number.POSITIVE_INFINITY;
const seconds = (clock: Clock) => clock.now().getTime() / 1000;

describe("a client limited to a time", () => {
  const anything = { path: "/", answer: z.unknown(), timeoutMs: 5000 };

  test("cuts the time-out of each request to what is left", async () => {
    const clock = virtualTime();
    const { twilio, asked } = slowTwilio(
      clock,
      () => 1000,
      () => ({}),
    );
    const limited = limitedTo(twilio, { clock, deadline: 6500.5 });
    for (let request = 0; request < 4; request++) await limited.send(anything);
    expect(asked.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 5000, 4501, 3501]);
  });

  test("asks nothing after it, and says so", async () => {
    const clock = virtualTime();
    const { twilio, asked } = slowTwilio(clock, NEVER, () => ({}));
    expect(await limitedTo(twilio, { clock, deadline: 0 }).send(anything)).toEqual({
      kind: "failed",
      failure: noAnswer("the time was over before it could be asked"),
    });
    expect(asked).toEqual([]);
    expect(extended({ clock, deadline: 1 }, 2).deadline).toBe(3);
  });
});

describe("however slow Twilio is, there is time left for the record and the alert", () => {
  test.each<[string, (path: string) => number, number | null]>([
    ["never answers", NEVER, null],
    ["lists, and never ends a call", (path) => (path.includes("/Calls/") ? Number.POSITIVE_INFINITY : 100), 40],
    ["takes four seconds for each call", (path) => (path.includes("/Calls/") ? 4000 : 100), 40],
  ])("the end of the calls by a Twilio that %s", async (_, takes, left) => {
    const clock = virtualTime();
    const calls = Array.from({ length: 40 }, (_, nth) => ({ sid: `CA${nth.toString(16).padStart(32, "0")}` }));
    const { twilio } = slowTwilio(clock, takes, (path) =>
      path.includes("Status=ringing") ? { calls } : path.includes("/Calls.json") ? { calls: [] } : {},
    );
    const ended = await endLiveCalls(twilio, ACCOUNT, { clock, deadline: 18_800 });
    expect(ended).toMatchObject({ ended: 0, left });
    expect(seconds(clock)).toBeLessThanOrEqual((18_800 + LAST_LOOK_MS) / 1000);
  });
});
