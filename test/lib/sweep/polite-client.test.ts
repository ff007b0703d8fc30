import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { politeClient } from "../../../lib/sweep/polite-client.ts";
import type { Answer, TwilioClient } from "../../../lib/twilio/client.ts";
import { failureOf, noAnswer } from "../../../lib/twilio/failures.ts";
import { ahead } from "./sweep-rig.ts";

const request = { path: "/2010-04-01/Accounts.json", answer: z.unknown(), timeoutMs: 1000 };
const OK = { kind: "ok", body: {} } as const;
const failed = (status: number) => ({ kind: "failed", failure: failureOf(status, undefined) }) as const;

/** Answers as it is told, and keeps when it was asked. */
function scripted(answers: (index: number) => Answer<unknown>, clock = ahead(0)) {
  const asked: number[] = [];
  let [underWay, most] = [0, 0];
  const twilio: TwilioClient = {
    accountSid: "",
    async send({ answer }) {
      const index = asked.push(clock.now().getTime()) - 1;
      most = Math.max(most, ++underWay);
      await clock.sleep(10);
      underWay -= 1;
      const said = answers(index);
      return said.kind === "ok" ? { kind: "ok", body: z.parse(answer, said.body) } : said;
    },
  };
  return { twilio, asked, clock, most: () => most };
}

function polite(script: ReturnType<typeof scripted>, { atOnce = 10, milliseconds = 60_000 } = {}) {
  const { twilio, clock } = script;
  return politeClient(twilio, { atOnce, until: { clock, deadline: clock.now().getTime() + milliseconds } });
}

test("no more requests are under way than allowed", async () => {
  const script = scripted(() => OK);
  const client = polite(script, { atOnce: 3 });
  await Promise.all(Array.from({ length: 20 }, () => client.send(request)));
  expect(script.asked).toHaveLength(20);
  expect(script.most()).toBe(3);
});

describe("too many requests", () => {
  test("all of them rest, and then each is answered", async () => {
    const script = scripted((index) => (index < 5 ? failed(429) : OK));
    const client = polite(script, { atOnce: 5 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => client.send(request)));
    expect(answers.every(({ kind }) => kind === "ok")).toBe(true);
    const [first = 0, ...after] = script.asked.slice(4);
    // Nobody asked while they rested, also of those that had not been refused.
    expect(Math.min(...after) - first).toBeGreaterThanOrEqual(250);
    expect(script.asked).toHaveLength(35);
  });

  test("the rest grows while it goes on, and the tries are few: no storm", async () => {
    const script = scripted(() => failed(429));
    const client = polite(script, { atOnce: 1 });
    expect(await client.send(request)).toMatchObject({ kind: "failed", failure: { status: 429 } });
    expect(script.asked).toHaveLength(4);
    const [one = 0, , three = 0, four = 0] = script.asked;
    expect(four - three).toBeGreaterThanOrEqual(1000);
    expect(four - one).toBeGreaterThanOrEqual(1750);
  });

  test("what was posted is asked again: it was never processed", async () => {
    const script = scripted((index) => (index === 0 ? failed(429) : OK));
    expect(await polite(script).send({ ...request, form: {} })).toEqual(OK);
  });
});

describe("other failures", () => {
  test.each([
    ["a reading is repeated", {}, 4],
    ["a deletion, too", { method: "DELETE" } as const, 4],
    ["what was posted is not: it may have been carried out", { form: {} }, 1],
  ])("%s", async (_, more, times) => {
    const script = scripted(() => failed(503));
    expect(await polite(script).send({ ...request, ...more })).toMatchObject({ failure: { status: 503 } });
    expect(script.asked).toHaveLength(times);
  });

  test.each([
    ["what Twilio itself refuses is not repeated: the next sweep asks again", { code: 20404, status: 404 }, 1],
    ["what somebody on the way refuses is", undefined, 4],
  ])("%s", async (_, body, times) => {
    const script = scripted(() => ({ kind: "failed", failure: failureOf(404, body) }));
    expect(await polite(script).send(request)).toMatchObject({ failure: { status: 404 } });
    expect(script.asked).toHaveLength(times);
  });
});

describe("time", () => {
  test("nothing is begun after the deadline, and what waits is answered then", async () => {
    const script = scripted(() => ({ kind: "failed", failure: noAnswer("cut") }));
    const client = polite(script, { atOnce: 1, milliseconds: 100 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => client.send(request)));
    expect(answers.every(({ kind }) => kind === "failed")).toBe(true);
    expect(Math.max(...script.asked) - Math.min(...script.asked)).toBeLessThan(100);
  });

  test("a part of it may have to end sooner, and shares the manners", async () => {
    const script = scripted(() => OK);
    const client = polite(script, { atOnce: 2 });
    const sooner = client.endingAt(script.clock.now().getTime() + 30);
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => client.send(request)),
      ...Array.from({ length: 10 }, () => sooner.send(request)),
    ]);
    expect(answers.filter(({ kind }) => kind === "ok").length).toBeGreaterThanOrEqual(10);
    expect(answers.slice(-1)).toMatchObject([{ kind: "failed" }]);
    expect(script.most()).toBe(2);
  });
});
