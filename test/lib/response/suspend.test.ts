import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { type Asking, type Suspension, suspendAccount } from "../../../lib/response/suspend.ts";
import { LAST_LOOK_MS } from "../../../lib/response/time-limit.ts";
import type { Answer, TwilioClient } from "../../../lib/twilio/client.ts";
import { failureOf, noAnswer } from "../../../lib/twilio/failures.ts";
import fc from "../../support/fast-check.ts";
import { virtualTime } from "../../support/virtual-time.ts";

// A Twilio whose every answer the test chooses, in a time that passes only while somebody waits for it.

const PARENT = `AC${"0".repeat(32)}`;
const ACCOUNT = `AC${"1".repeat(32)}`;
const OTHER = `AC${"2".repeat(32)}`;
/** Of a delivery of 23.5 s. */
const DEADLINE = 14_100;

type Status = "active" | "suspended" | "closed";
interface Reply {
  /** How long it takes: a half before Twilio acts, a half after. Longer than it is waited for, and nothing comes. */
  takes: number;
  /** What is answered: the truth, when left out. */
  says?:
    | "truth"
    | "active"
    | "suspended"
    | "closed"
    | "foreign"
    | "another"
    | "frozen"
    | { status: number; body?: unknown };
  /** Whether a request to suspend is carried out; with an error it is not, when left out. */
  acts?: boolean;
}
const OWN = (status: number, code: number) => ({ status, body: { code, message: "why", status } });

/** @param reply by method and how many of them came before */
function scriptedTwilio(
  reply: (method: "GET" | "POST", nth: number) => Reply,
  { status = "active" as Status, owner = PARENT } = {},
) {
  const clock = virtualTime();
  const requests: { method: "GET" | "POST"; at: number; form: unknown }[] = [];
  const answers: { method: "GET" | "POST"; at: number; says: Reply["says"]; shown: Status | undefined }[] = [];
  const counts = { GET: 0, POST: 0 };
  const world = { status };

  const twilio: TwilioClient = {
    accountSid: PARENT,
    async send({ form, answer, timeoutMs }): Promise<Answer<z.output<typeof answer>>> {
      const method = form === undefined ? "GET" : "POST";
      const { takes, says = "truth", acts } = reply(method, counts[method]++);
      requests.push({ method, at: clock.now().getTime(), form });
      const isError = typeof says === "object";
      const wait = (milliseconds: number) => clock.sleep(milliseconds);
      let shown: Status | undefined;
      const work = async (): Promise<Answer<unknown>> => {
        await wait(takes / 2);
        if (method === "POST" && world.status === "active" && (acts ?? !isError)) world.status = "suspended";
        shown = world.status;
        await wait(takes / 2);
        return isError
          ? { kind: "failed", failure: failureOf(says.status, says.body) }
          : { kind: "ok", body: bodyOf(says, shown) };
      };
      const given = await Promise.race([work(), wait(timeoutMs).then(() => undefined)]);
      if (given === undefined) return { kind: "failed", failure: noAnswer("no answer in time") };
      answers.push({ method, at: clock.now().getTime(), says, shown });
      if (given.kind === "failed") return given;
      const body = z.safeParse(answer, given.body);
      return body.success ? { kind: "ok", body: body.data } : { kind: "failed", failure: noAnswer("not understood") };
    },
  };

  function bodyOf(says: Exclude<Reply["says"], object | undefined>, truth: Status) {
    const honest = { sid: ACCOUNT, owner_account_sid: owner, friendly_name: "One", status: truth };
    switch (says) {
      case "truth":
        return honest;
      case "foreign":
        return { ...honest, owner_account_sid: OTHER };
      case "another":
        return { ...honest, sid: OTHER };
      default:
        return { ...honest, status: says };
    }
  }

  const posts = () => requests.filter(({ method }) => method === "POST");
  return { twilio, clock, requests, answers, posts, world };
}
type Scripted = ReturnType<typeof scriptedTwilio>;

const FREE: Asking = { mayAsk: async () => true };
const PROVEN: Asking = { ...FREE, isProven: true };
const suspend = ({ twilio, clock }: Scripted, asking: Asking = FREE, deadline = DEADLINE) =>
  suspendAccount(twilio, ACCOUNT, { clock, deadline }, asking);
const seconds = ({ clock }: Scripted) => clock.now().getTime() / 1000;
const always = (reply: Reply) => () => reply;

describe("a slow Twilio", () => {
  test.each([100, 1900, 2500, 4000, 5500, 7000, 10_000])(
    "that takes %i ms for each answer suspends a proven account in the first try",
    async (takes) => {
      const at = scriptedTwilio(always({ takes }));
      expect(await suspend(at, PROVEN)).toMatchObject({
        kind: "suspended",
        by: "tollbreaker",
        asked: true,
        account: { friendlyName: "One" },
      });
      expect(at.posts()[0]?.at).toBeLessThanOrEqual(2000);
      expect(at.posts().length).toBeLessThanOrEqual(4);
    },
  );

  test.each([4000, 5500, 7000])(
    "that takes %i ms suspends an account that has to be read first, too",
    async (takes) => {
      const at = scriptedTwilio(always({ takes }));
      expect(await suspend(at)).toMatchObject({ kind: "suspended", by: "tollbreaker" });
      expect(at.posts()[0]?.at).toBe(takes);
    },
  );

  test("that takes 10 s is asked in the first try, and found to have done it in the next", async () => {
    const at = scriptedTwilio(always({ takes: 10_000 }));
    expect(await suspend(at)).toMatchObject({ kind: "unconfirmed", asked: true });
    expect(at.posts()).toHaveLength(1);
    const next = { ...FREE, askedBefore: true };
    const { twilio, clock } = at;
    const deadline = clock.now().getTime() + DEADLINE;
    expect(await suspendAccount(twilio, ACCOUNT, { clock, deadline }, next)).toMatchObject({
      kind: "suspended",
      by: "tollbreaker",
      asked: false,
    });
  });

  test("whose one hung request holds up nothing: another one goes beside it", async () => {
    for (const hung of ["GET", "POST"]) {
      const at = scriptedTwilio((method, nth) => ({
        takes: method === hung && nth === 0 ? 99_000 : 100,
        acts: method !== hung || nth > 0,
      }));
      expect(await suspend(at)).toMatchObject({ kind: "suspended", by: "tollbreaker" });
      expect(seconds(at)).toBeLessThan(6);
    }
  });

  test.each([1000, 2999, 6000, 99_000])("that never does it (%i ms) is left when the time is over", async (takes) => {
    const at = scriptedTwilio((method) => ({ takes, ...(method === "POST" && { says: "active", acts: false }) }));
    expect(await suspend(at, PROVEN)).toMatchObject({ kind: "unconfirmed", asked: true });
    expect(seconds(at)).toBeLessThanOrEqual((DEADLINE + LAST_LOOK_MS) / 1000);
    expect(at.posts().every((post) => post.at < DEADLINE)).toBe(true);
  });

  test("that does it at the last moment is found out", async () => {
    const at = scriptedTwilio((method) => ({ takes: method === "POST" ? 99_000 : 1500, acts: true }));
    at.world.status = "active";
    const suspension = suspend(at, FREE, 3000);
    await at.clock.sleep(2900);
    at.world.status = "suspended";
    expect(await suspension).toMatchObject({ kind: "suspended", by: "tollbreaker" });
  });
});

describe("what Twilio answers to the request itself", () => {
  const slowReadings = (method: string): Reply => ({ takes: method === "GET" ? 99_000 : 300 });

  test("counts where reading it back is late", async () => {
    const at = scriptedTwilio(slowReadings);
    expect(await suspend(at, PROVEN)).toMatchObject({
      kind: "suspended",
      by: "tollbreaker",
      account: { sid: ACCOUNT },
    });
    expect(seconds(at)).toBeLessThan(5);
  });

  test.each([OWN(404, 20404), OWN(401, 20003), { status: 403, body: "<html>" }, { status: 500 }])(
    "counts where reading it back fails: %j",
    async (says) => {
      const at = scriptedTwilio((method, nth) => ({ takes: 10, ...(method === "GET" && nth > 0 && { says }) }));
      expect(await suspend(at)).toMatchObject({ kind: "suspended", by: "tollbreaker" });
    },
  );

  test.each(["another", "frozen", "active"] as const)(
    "proves nothing where it is %s: it is read back",
    async (says) => {
      const at = scriptedTwilio((method, nth) => ({ takes: 10, ...(method === "POST" && { says, acts: nth > 0 }) }));
      expect(await suspend(at)).toMatchObject({ kind: "suspended", by: "tollbreaker" });
      expect(at.posts()).toHaveLength(2);
    },
  );

  test("is not believed where the reading says otherwise", async () => {
    const at = scriptedTwilio((method, nth) => ({
      takes: 10,
      ...(method === "POST" && { says: "suspended", acts: nth > 1 }),
    }));
    expect(await suspend(at)).toMatchObject({ kind: "suspended" });
    expect(at.posts()).toHaveLength(3);
  });
});

describe("answers that can pass", () => {
  test.each([
    ["401", OWN(401, 20003)],
    ["401 of a gateway", { status: 401, body: "" }],
    ["403 of a proxy", { status: 403, body: "<html>" }],
    ["400 of a proxy", { status: 400, body: "<html>" }],
    ["404 without a code", { status: 404 }],
    ["404 with Twilio's", OWN(404, 20404)],
    ["the parent is suspended", OWN(400, 21476)],
    ["a code that nobody knows", OWN(400, 12345)],
    ["a code on the way from somebody else", { status: 403, body: { code: 21477, status: 400 } }],
    ["for another account", "another"],
    ["of an unknown status", "frozen"],
  ] as const)("%s, to the first reading or the first request: the account is suspended in the end", async (_, says) => {
    for (const failing of ["GET", "POST"]) {
      const at = scriptedTwilio((method, nth) => ({
        takes: 10,
        ...(method === failing && nth === 0 && { says, acts: false }),
      }));
      expect(await suspend(at, PROVEN)).toMatchObject({ kind: "suspended", by: "tollbreaker" });
    }
  });

  test("readings that never come right: what is proven is asked for without them, and the brake first", async () => {
    const order: string[] = [];
    const at = scriptedTwilio((method) => ({
      takes: 10,
      ...(method === "GET" && { says: { status: 403, body: "<html>" } }),
    }));
    const asking = {
      isProven: true,
      mayAsk: async () => order.push("mayAsk") > 0,
      onAsking: () => void order.push("onAsking"),
    };
    expect(await suspend(at, asking)).toMatchObject({ kind: "suspended" });
    expect(order).toEqual(["mayAsk", "onAsking"]);
    // A timer may be 20 ms early.
    expect(at.posts()[0]?.at).toBeGreaterThanOrEqual(1980);
  });
});

describe("final answers", () => {
  test.each([
    [21475, "refused"],
    [21477, "refused"],
    [21478, "suspended-by-twilio"],
    [21479, "closed"],
  ])("%i to the request ends it at once: %s", async (code, outcome) => {
    const at = scriptedTwilio((method) => ({ takes: 10, ...(method === "POST" && { says: OWN(400, code) }) }));
    const suspension = await suspend(at);
    expect("by" in suspension ? suspension.by : suspension.kind).toBe(outcome);
    expect(suspension).toMatchObject({ account: { friendlyName: "One" } });
    expect(at.posts()).toHaveLength(1);
  });

  test("the parent is never asked about", async () => {
    const at = scriptedTwilio(always({ takes: 10 }));
    const { twilio, clock } = at;
    expect(await suspendAccount(twilio, PARENT, { clock, deadline: DEADLINE }, PROVEN)).toMatchObject({
      kind: "refused",
    });
    expect(at.requests).toEqual([]);
  });

  test.each([FREE, PROVEN])("an account of another owner is never asked for", async (asking) => {
    const at = scriptedTwilio(always({ takes: 10 }), { owner: OTHER });
    expect(await suspend(at, asking)).toMatchObject({ kind: "refused", notOurs: true });
    expect(at.posts()).toEqual([]);
  });

  test("what a person asked for, and Twilio does not know, twice a second apart: it is none of ours", async () => {
    const at = scriptedTwilio(always({ takes: 10, says: OWN(404, 20404) }));
    expect(await suspend(at)).toEqual({
      kind: "refused",
      notOurs: true,
      twilioCode: 20404,
      message: "Twilio error 20404 (HTTP 404): why",
      account: null,
    });
    expect(at.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect(seconds(at)).toBeGreaterThanOrEqual(1);
    expect(seconds(at)).toBeLessThan(1.5);
  });

  test.each([
    ["it signed a webhook", PROVEN],
    ["we asked for it before", { ...FREE, askedBefore: true }],
  ])("where something else is known of it (%s), it is only not there yet", async (_, asking) => {
    const at = scriptedTwilio(always({ takes: 10, says: OWN(404, 20404) }));
    expect(await suspend(at, asking)).toMatchObject({ kind: "unconfirmed", twilioCode: 20404 });
  });

  test("a 404 without Twilio's code is no unknown account", async () => {
    expect(await suspend(scriptedTwilio(always({ takes: 10, says: { status: 404 } })))).toMatchObject({
      kind: "unconfirmed",
    });
  });
});

describe("the brake", () => {
  test("is asked once, and only for what reads as active", async () => {
    let asked = 0;
    const mayAsk = async () => ++asked > 0;
    for (const status of ["suspended", "closed"] as const) {
      expect(await suspend(scriptedTwilio(always({ takes: 10 }), { status }), { mayAsk })).toMatchObject({
        kind: "suspended",
        asked: false,
      });
      expect(asked).toBe(0);
    }
    await suspend(
      scriptedTwilio((method, nth) => ({ takes: 10, ...(method === "POST" && { says: "active", acts: nth > 2 }) })),
      { mayAsk },
    );
    expect(asked).toBe(1);
  });

  test.each([10, 3000])("holds: nothing is asked, and the account is told (readings take %i ms)", async (takes) => {
    const at = scriptedTwilio(always({ takes }));
    expect(await suspend(at, { isProven: true, mayAsk: async () => false })).toMatchObject({
      kind: "held",
      account: { friendlyName: "One" },
    });
    expect(at.posts()).toEqual([]);
  });

  test("a reading that came while it was asked counts", async () => {
    const at = scriptedTwilio((method) => ({ takes: method === "GET" ? 2500 : 10 }), { status: "suspended" });
    const mayAsk = async () => {
      await at.clock.sleep(1000);
      return true;
    };
    expect(await suspend(at, { isProven: true, mayAsk })).toMatchObject({
      kind: "suspended",
      by: "already-suspended",
      asked: false,
    });
    expect(at.posts()).toEqual([]);
  });
});

describe("whose suspension it is", () => {
  test("found suspended: somebody's, unless our own record says that we asked", async () => {
    const found = () => scriptedTwilio(always({ takes: 10 }), { status: "suspended" });
    expect(await suspend(found())).toMatchObject({ by: "already-suspended", asked: false });
    expect(await suspend(found(), { ...FREE, askedBefore: true })).toMatchObject({ by: "tollbreaker", asked: false });
  });

  test("a reading from before our request that comes late and says suspended: not ours", async () => {
    const at = scriptedTwilio((method) => ({ takes: method === "GET" ? 3000 : 99_000 }), { status: "suspended" });
    expect(await suspend(at, PROVEN)).toMatchObject({ by: "already-suspended", asked: true });
  });

  test("asked for even if it reads as suspended, until Twilio took it", async () => {
    const at = scriptedTwilio(
      (method, nth) => ({ takes: 10, ...(method === "POST" && nth < 2 && { says: { status: 503 } }) }),
      { status: "suspended" },
    );
    expect(await suspend(at, { ...PROVEN, evenIfSuspended: true })).toMatchObject({ kind: "suspended" });
    expect(at.posts()).toHaveLength(3);
  });

  test("a reading that is under way is used", async () => {
    const at = scriptedTwilio(always({ takes: 10 }));
    const body = {
      sid: ACCOUNT,
      ownerAccountSid: PARENT,
      friendlyName: "Early",
      status: "suspended",
      authToken: undefined,
    } as const;
    expect(await suspend(at, { ...FREE, firstReading: Promise.resolve({ kind: "ok", body }) })).toMatchObject({
      account: { friendlyName: "Early" },
    });
    expect(at.requests).toEqual([]);
  });
});

describe("whatever Twilio answers, and however late", () => {
  const odd: NonNullable<Reply["says"]>[] = [
    ...(["foreign", "another", "frozen"] as const),
    ...[OWN(401, 20003), OWN(404, 20404), OWN(429, 20429), OWN(400, 21477), OWN(400, 21476), OWN(500, 20500)],
    ...[{ status: 403, body: "<html>" }, { status: 404 }, { status: 502 }],
  ];
  const reply = fc.record({
    takes: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 12_000 }), fc.constant(99_000)),
    says: fc.oneof({ weight: 6, arbitrary: fc.constant<NonNullable<Reply["says"]>>("truth") }, fc.constantFrom(...odd)),
    acts: fc.boolean(),
  });
  const scene = fc.record({
    gets: fc.array(reply, { minLength: 1, maxLength: 6 }),
    posts: fc.array(reply, { minLength: 1, maxLength: 6 }),
    status: fc.constantFrom<Status>("active", "active", "active", "suspended", "closed"),
    owner: fc.constantFrom(PARENT, PARENT, PARENT, OTHER),
    isProven: fc.boolean(),
    askedBefore: fc.boolean(),
    mayAsk: fc.constantFrom(true, true, true, false),
    deadline: fc.integer({ min: 500, max: DEADLINE }),
  });

  test("the guarantees hold", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (one) => {
        const { at, suspension, asked, order } = await play(one);
        keepsTime(at, one);
        neverAsksWronglyFor(at, one, order);
        saysOnlyWhatTwilioSaid(at, suspension, asked);
      }),
      { numRuns: 1500 },
    );
  });

  test("where the reading fails and the time is short, a proven account is asked for all the same", async () => {
    const unknown = { status: 404, body: { code: 20404, message: "not found", status: 404 } };
    const at = scriptedTwilio((method) => (method === "GET" ? { takes: 1, says: unknown } : { takes: 1 }), {
      status: "active",
      owner: PARENT,
    });
    const suspension = await suspend(at, { isProven: true, mayAsk: async () => true }, 500);
    expect(at.posts()).toHaveLength(1);
    expect(suspension.kind).toBe("suspended");
  });

  test("an account that is ours, active and free, is always asked for while there is time", async () => {
    await fc.assert(
      fc.asyncProperty(scene, async (one) => {
        const { at, suspension } = await play({ ...one, status: "active", owner: PARENT, mayAsk: true });
        if (suspension.kind === "refused" || suspension.kind === "suspended") return;
        const seen = at.answers.find(
          ({ method, says: word, shown, at: time }) =>
            method === "GET" && word === "truth" && shown === "active" && time < one.deadline - 10,
        );
        if (one.isProven || seen !== undefined) expect(at.posts().length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });

  type Scene = typeof scene extends fc.Arbitrary<infer S> ? S : never;
  async function play(one: Scene) {
    const order: string[] = [];
    const at = scriptedTwilio(
      (method, nth) => {
        const replies = method === "GET" ? one.gets : one.posts;
        return replies[nth % replies.length] ?? { takes: 1 };
      },
      { status: one.status, owner: one.owner },
    );
    const asking = {
      isProven: one.isProven,
      askedBefore: one.askedBefore,
      mayAsk: async () => {
        order.push("mayAsk");
        return one.mayAsk;
      },
      onAsking: () => void order.push("onAsking"),
    };
    const suspension = await suspend(at, asking, one.deadline);
    return { at, suspension, order, asked: { at: at.clock.now().getTime() } };
  }

  function keepsTime(at: Scripted, { deadline }: Scene): void {
    expect(at.clock.now().getTime()).toBeLessThanOrEqual(deadline + LAST_LOOK_MS + 1);
    expect(at.posts().every((post) => post.at < deadline)).toBe(true);
  }

  function neverAsksWronglyFor(at: Scripted, { mayAsk }: Scene, order: string[]): void {
    const posts = at.posts();
    for (const { form } of posts) expect(form).toEqual({ Status: "suspended" });
    if (!mayAsk) expect(posts).toEqual([]);
    expect(order.filter((what) => what === "mayAsk").length).toBeLessThanOrEqual(1);
    expect(order.filter((what) => what === "onAsking")).toHaveLength(posts.length);
    if (posts.length > 0) expect(order[0]).toBe("mayAsk");
    const saidNo = at.answers.filter(
      ({ says: word, shown }) => word === "foreign" || (word === "truth" && shown === "closed"),
    );
    for (const { at: time } of saidNo) expect(posts.filter((post) => post.at > time)).toEqual([]);
  }

  function saysOnlyWhatTwilioSaid(at: Scripted, suspension: Suspension, { at: ended }: { at: number }): void {
    const said = (...words: string[]) =>
      at.answers.some(
        ({ says: word, shown, at: time }) =>
          time <= ended && word === "truth" && shown !== undefined && words.includes(shown),
      );
    const refusal = (code: number) =>
      at.answers.some(
        ({ says: word }) =>
          typeof word === "object" && word.body !== undefined && JSON.stringify(word.body).includes(`"code":${code}`),
      );
    switch (suspension.kind) {
      case "suspended":
        expect(said("suspended", "closed")).toBe(true);
        break;
      case "refused":
        expect(suspension.twilioCode === null ? suspension.notOurs : refusal(suspension.twilioCode)).toBe(true);
        break;
      case "held":
        expect(said("active")).toBe(true);
        break;
      case "unconfirmed":
        expect(suspension.asked).toBe(at.posts().length > 0);
        break;
    }
  }
});
