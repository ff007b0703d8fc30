import { expect, test } from "vitest";
import { findSigner } from "../../../lib/webhooks/signer.ts";
import type { TokenCheck } from "../../../lib/webhooks/signing-tokens.ts";

const accountSid = `AC${"1".repeat(32)}`;
const parentSid = `AC${"9".repeat(32)}`;

const SIGNED = { kind: "signed" } as const;
const NOT_SIGNED = { kind: "not-signed" } as const;
const SLOW = { kind: "undecided", why: "twilio-slow" } as const;
const SPENT = { kind: "undecided", why: "look-ups-spent" } as const;

/** Who was asked whether it signed, and since when; and what came of it. */
async function signerOf({ own, parent, isKnown = false }: { own: TokenCheck; parent: TokenCheck; isKnown?: boolean }) {
  const asked: [who: string, came: number | undefined][] = [];
  const tokens = {
    moment: () => 7,
    isKnownToSign: async (sid: string) => isKnown && sid === parentSid,
    ownership: async () => "unknown" as const,
    async check(sid: string, _: unknown, came?: number) {
      asked.push([sid === parentSid ? "parent" : "own", came]);
      return sid === parentSid ? parent : own;
    },
  };
  const signer = (sid: string) => findSigner(tokens, { accountSid: sid, parentSid }, () => false);
  return { signer: await signer(accountSid), asked, parentItself: await signer(parentSid) };
}

test("what the parent's known token signed costs no look", async () => {
  const { signer, asked } = await signerOf({ own: NOT_SIGNED, parent: NOT_SIGNED, isKnown: true });
  expect([signer, asked]).toEqual([{ kind: "signed", by: "parent" }, []]);
});

test.each([
  [SIGNED, NOT_SIGNED, { kind: "signed", by: "subaccount" }],
  [{ kind: "not-ours" } as const, SIGNED, { kind: "refused", why: "not-ours" }],
  [SLOW, SIGNED, SLOW],
  [NOT_SIGNED, SIGNED, { kind: "signed", by: "parent" }],
  [NOT_SIGNED, SPENT, SPENT],
  [NOT_SIGNED, NOT_SIGNED, { kind: "refused", why: "wrong-signature" }],
])("by the account: %j, by the parent: %j", async (own, parent, expected) => {
  const { signer, asked } = await signerOf({ own, parent });
  expect(signer).toEqual(expected);
  // Both since the request came: a look at one of them may tell of the other.
  for (const [, came] of asked) expect(came).toBe(7);
});

test.each([
  [SIGNED, { kind: "signed", by: "parent" }],
  [SPENT, SPENT],
  [NOT_SIGNED, { kind: "refused", why: "wrong-signature" }],
])("about the parent itself: %j", async (parent, expected) => {
  expect((await signerOf({ own: SIGNED, parent })).parentItself).toEqual(expected);
});
