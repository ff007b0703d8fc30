import { expect, test } from "vitest";
import { signForm, signText } from "../../../lib/twilio/signature.ts";
import { isSignedWith, isTextSignedWith } from "../../support/signatures.ts";

// From the tests of Twilio's SDKs; the token is 12345.
const TEXT = '{"property": "value", "boolean": true}';
const HASH = "bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
const SHORT = { url: `https://mycompany.com/myapp.php?${HASH}`, signature: "y77kIzt2vzLz71DgmJGsen2scGs=" };
const LONG = { url: `https://mycompany.com/myapp.php?foo=1&bar=2&${HASH}`, signature: "a9nBmqA0ju/hNViExpshrM61xv4=" };

test.each([SHORT, LONG])("$url is signed", ({ url, signature }) => {
  expect(isTextSignedWith("12345", signature, { url, text: TEXT })).toBe(true);
  expect(isTextSignedWith("12346", signature, { url, text: TEXT })).toBe(false);
  expect(isTextSignedWith("12345", signature, { url: `${url}0`, text: TEXT })).toBe(false);
  expect(isTextSignedWith("12345", signature, { url, text: `${TEXT} ` })).toBe(false);
});

test("we sign as Twilio does", () => {
  expect(signText("12345", { url: "https://mycompany.com/myapp.php", text: TEXT })).toEqual(SHORT);
  expect(signText("12345", { url: "https://mycompany.com/myapp.php?foo=1&bar=2", text: TEXT })).toEqual(LONG);
});

test("a body that no hash in the URL speaks for is not signed", () => {
  const url = "https://mycompany.com/myapp.php";
  const signature = signForm("12345", { url, form: new Map() });
  expect(isSignedWith("12345", signature, { url, form: new Map() })).toBe(true);
  for (const text of ["", TEXT]) expect(isTextSignedWith("12345", signature, { url, text })).toBe(false);
});

test.each([undefined, ""])("the signature %j matches nothing", (signature) => {
  expect(isTextSignedWith("12345", signature, { url: SHORT.url, text: TEXT })).toBe(false);
});

test("an empty token signs nothing", () => {
  const { url, signature } = signText("12345", { url: "https://example.com/", text: TEXT });
  expect(isTextSignedWith("", signature, { url, text: TEXT })).toBe(false);
});
