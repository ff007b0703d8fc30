import { afterEach, beforeEach, expect, it } from "vitest";
import { parseForm } from "../../../lib/twilio/signature.ts";
import type { TwilioSimulator } from "../../../local/twilio/simulator.ts";
import { isSignedWith } from "../../support/signatures.ts";
import { accountPath, apiOf, type Credentials, quietSimulator, subaccount } from "./api.ts";
import { webhook } from "./webhook.ts";

const SECONDARY = "/v1/AuthTokens/Secondary";
const PROMOTE = "/v1/AuthTokens/Promote";

let simulator: TwilioSimulator;
let sub: Credentials;
beforeEach(async () => {
  simulator = await quietSimulator();
  sub = subaccount(simulator);
});
afterEach(() => simulator.close());

const works = async (authToken: string) =>
  (await apiOf(simulator, { ...sub, authToken }).get(accountPath(sub.accountSid))).status === 200;

async function secondary(): Promise<string> {
  const { status, body } = await apiOf(simulator, sub).post(SECONDARY);
  expect({ status, body }).toMatchObject({ status: 201, body: { account_sid: sub.accountSid } });
  return body.secondary_auth_token;
}

it("a secondary token works beside the primary until it is deleted", async () => {
  const token = await secondary();
  expect(token).not.toBe(sub.authToken);
  expect(await Promise.all([works(token), works(sub.authToken)])).toEqual([true, true]);
  const read = await apiOf(simulator).get(accountPath(sub.accountSid));
  expect(read.body.auth_token).toBe(sub.authToken);
  expect((await apiOf(simulator, sub).delete(SECONDARY)).status).toBe(204);
  expect(await Promise.all([works(token), works(sub.authToken)])).toEqual([false, true]);
});

it("promoted it is the only one: the old primary ends at once", async () => {
  const token = await secondary();
  const { status, body } = await apiOf(simulator, sub).post(PROMOTE);
  expect({ status, body }).toMatchObject({ status: 200, body: { account_sid: sub.accountSid, auth_token: token } });
  expect(await Promise.all([works(token), works(sub.authToken)])).toEqual([true, false]);
  expect(simulator.account(sub.accountSid)).toMatchObject({ authToken: token, secondaryAuthToken: null });
  const read = await apiOf(simulator).get(accountPath(sub.accountSid));
  expect(read.body.auth_token).toBe(token);
});

it("a second secondary token is refused, and the first stays", async () => {
  const token = await secondary();
  expect((await apiOf(simulator, sub).post(SECONDARY)).status).toBe(400);
  expect(await works(token)).toBe(true);
});

it("without a secondary token nothing is promoted or deleted: 20404", async () => {
  expect(await apiOf(simulator, sub).post(PROMOTE)).toMatchObject({
    status: 404,
    body: { code: 20404, message: "The requested resource /AuthTokens/Promote was not found" },
  });
  expect(await apiOf(simulator, sub).delete(SECONDARY)).toMatchObject({ status: 404, body: { code: 20404 } });
  expect(simulator.account(sub.accountSid).authToken).toBe(sub.authToken);
});

it("the primary signs, before and after the promotion", async () => {
  const hook = await webhook();
  const form = { CallbackUrl: hook.url, TriggerValue: "1", UsageCategory: "sms" };
  const { sid } = (await apiOf(simulator).post(accountPath(sub.accountSid, "/Usage/Triggers"), form)).body;
  const token = await secondary();
  await simulator.fireTrigger(sub.accountSid, sid);
  await apiOf(simulator, { ...sub, authToken: token }).post(PROMOTE);
  await simulator.fireTrigger(sub.accountSid, sid);
  await hook.close();
  const signedBy = (nth: number, by: string) => {
    const { body = "", headers } = hook.received[nth] ?? {};
    return isSignedWith(by, String(headers?.["x-twilio-signature"]), { url: hook.url, form: parseForm(body) });
  };
  expect([signedBy(0, sub.authToken), signedBy(0, token)]).toEqual([true, false]);
  expect([signedBy(1, sub.authToken), signedBy(1, token)]).toEqual([false, true]);
});
