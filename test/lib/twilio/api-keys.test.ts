import { describe, expect, test } from "vitest";
import { deleteApiKey, listApiKeys } from "../../../lib/twilio/api-keys.ts";
import { simulated } from "./simulated.ts";

const at = simulated();
const list = () => listApiKeys(at.twilio, at.account, 2_000);
const SID = `SK${"1".repeat(32)}`;

describe("listing", () => {
  test("all keys of the account, suspended or not, and when each was made", async () => {
    at.simulator.stealKey(at.account, { friendlyName: "backdoor", dateCreated: "2026-10-04T12:34:56Z" });
    at.simulator.setStatus(at.account, "suspended");
    const answer = await list();
    const keys = at.simulator.keys(at.account);
    expect(keys.length).toBeGreaterThan(1);
    expect(answer.kind === "ok" && answer.body.map(({ sid }) => sid).toSorted()).toEqual(
      keys.map(({ sid }) => sid).toSorted(),
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
    expect(await deleteApiKey(at.twilio, at.account, sid, 2_000)).toEqual({ kind: "ok", body: undefined });
    expect(at.simulator.keys(at.account).map((key) => key.sid)).not.toContain(sid);
    expect(at.asked()).toEqual([
      { to: "DELETE api", path: `/2010-04-01/Accounts/${at.account}/Keys/${sid}.json`, form: {} },
    ]);
  });

  test("one that is gone is `not-found`", async () => {
    expect(await deleteApiKey(at.twilio, at.account, SID, 2_000)).toMatchObject({ failure: { kind: "not-found" } });
  });

  test("what is no SID never becomes a path", async () => {
    await expect(deleteApiKey(at.twilio, at.account, `${SID}/../..`, 2_000)).rejects.toThrow("Not a part of a path");
    expect(at.asked()).toEqual([]);
  });
});
