import { describe, expect, test } from "vitest";
import { apiKeysOf, ownApiKeys } from "../../../lib/twilio/api-keys.ts";
import { simulated } from "./simulated.ts";

const at = simulated();
const keys = () => apiKeysOf(at.twilio, at.account);
const list = () => keys().list(2_000);
const SID = `SK${"1".repeat(32)}`;

describe("listing", () => {
  test("all keys of the account, suspended or not, and when each was made", async () => {
    at.simulator.stealKey(at.account, { friendlyName: "backdoor", dateCreated: "2026-10-04T12:34:56Z" });
    at.simulator.setStatus(at.account, "suspended");
    const answer = await list();
    const present = at.simulator.keys(at.account);
    expect(present.length).toBeGreaterThan(1);
    expect(answer.kind === "ok" && answer.body.map(({ sid }) => sid).toSorted()).toEqual(
      present.map(({ sid }) => sid).toSorted(),
    );
    expect(answer.kind === "ok" && answer.body.find(({ friendlyName }) => friendlyName === "backdoor")).toEqual({
      sid: expect.stringMatching(/^SK/),
      friendlyName: "backdoor",
      dateCreated: "2026-10-04T12:34:56.000Z",
    });
  });

  test("follows the pages to the end", async () => {
    const path = `/2010-04-01/Accounts/${at.account}/Keys.json?PageSize=1000&Page=0`;
    at.answer(200, { keys: [{ sid: SID }], next_page_uri: path });
    const sids = at.simulator.keys(at.account).map(({ sid }) => sid);
    const answer = await list();
    expect(answer.kind === "ok" && answer.body.map(({ sid }) => sid)).toEqual([SID, ...sids]);
  });

  test.each([
    ["Mon, 13 Jun 2016 22:50:08 +0000", "2016-06-13T22:50:08.000Z"],
    ["2016-06-13T22:50:08Z", "2016-06-13T22:50:08.000Z"],
    ["some day", null],
    ["", null],
    [null, null],
    [undefined, null],
  ])("a key made %j", async (date_created, dateCreated) => {
    at.answer(200, { keys: [{ sid: SID, friendly_name: null, date_created }] });
    expect(await list()).toEqual({ kind: "ok", body: [{ sid: SID, friendlyName: "", dateCreated }] });
  });

  test("a list that is none proves nothing: no key is not the same as an empty answer", async () => {
    at.answer(200, {});
    expect(await list()).toMatchObject({ kind: "failed", failure: { kind: "retryable" } });
    at.answer(200, { keys: [{ sid: "AC1" }] });
    expect(await list()).toMatchObject({ kind: "failed" });
  });
});

describe("deleting", () => {
  test("locks its holder out, with the parent's credentials, while the account is suspended", async () => {
    const { sid } = at.simulator.stealKey(at.account);
    at.simulator.setStatus(at.account, "suspended");
    expect(await keys().delete(sid, 2_000)).toEqual({ kind: "ok", body: undefined });
    expect(at.simulator.keys(at.account).map((key) => key.sid)).not.toContain(sid);
    expect(at.asked()).toEqual([
      { to: "DELETE api", path: `/2010-04-01/Accounts/${at.account}/Keys/${sid}.json`, form: {} },
    ]);
  });

  test("one that is gone is `not-found`", async () => {
    expect(await keys().delete(SID, 2_000)).toMatchObject({ failure: { kind: "not-found" } });
  });

  test("what is no SID never becomes a path", async () => {
    expect(() => keys().delete(`${SID}/../..`, 2_000)).toThrow("Not a part of a path");
    expect(at.asked()).toEqual([]);
  });
});

describe("as the account itself sees them", () => {
  const own = () => ownApiKeys(at.own());
  const sidsOf = (answer: Awaited<ReturnType<typeof list>>) =>
    answer.kind === "ok" ? answer.body.map(({ sid }) => sid) : answer.failure.message;

  test("restricted and main ones are listed, too; its parent is shown neither", async () => {
    const hidden = (["restricted", "main"] as const).map((type) => at.simulator.stealKey(at.account, { type }).sid);
    expect(sidsOf(await own().list(2_000))).toEqual(at.simulator.keys(at.account).map(({ sid }) => sid));
    for (const sid of hidden) expect(sidsOf(await list())).not.toContain(sid);
  });

  test("follows the pages to the end", async () => {
    const next_page_url = `${at.proxy.url}/iam/v1/Keys?AccountSid=${at.account}&PageSize=1000&Page=0`;
    at.answer(200, { keys: [{ sid: SID }], meta: { next_page_url } });
    expect(sidsOf(await own().list(2_000))).toEqual([SID, ...at.simulator.keys(at.account).map(({ sid }) => sid)]);
  });

  test("one is read, deleted, and then gone", async () => {
    const { sid } = at.simulator.stealKey(at.account, { type: "restricted" });
    expect(await own().fetch(sid, 2_000)).toMatchObject({ kind: "ok" });
    expect(await own().delete(sid, 2_000)).toEqual({ kind: "ok", body: undefined });
    expect(await own().fetch(sid, 2_000)).toMatchObject({ failure: { kind: "not-found" } });
    expect(at.asked().map(({ to, path }) => `${to} ${path}`)).toEqual([
      `GET iam /v1/Keys/${sid}`,
      `DELETE iam /v1/Keys/${sid}`,
      `GET iam /v1/Keys/${sid}`,
    ]);
  });

  test("not while it is suspended", async () => {
    const client = own();
    at.simulator.setStatus(at.account, "suspended");
    expect(await client.list(2_000)).toMatchObject({ failure: { status: 401 } });
  });
});
