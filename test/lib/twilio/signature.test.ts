import querystring from "node:querystring";
import { getExpectedTwilioSignature, validateRequest } from "twilio/lib/webhooks/webhooks.js";
import { describe, expect, test } from "vitest";
import { type Form, parseForm, signForm } from "../../../lib/twilio/signature.ts";
import fc from "../../support/fast-check.ts";
import { isSignedWith, isTextSignedWith } from "../../support/signatures.ts";

const formOf = (parameters: Record<string, string | readonly string[]>): Form =>
  new Map(Object.entries(parameters).map(([name, value]) => [name, [value].flat()]));

const call = {
  CallSid: "CA1234567890ABCDE",
  Caller: "+14158675309",
  Digits: "1234",
  From: "+14158675309",
  To: "+18005551212",
};
const other = { ...call, Caller: "+14158675310", From: "+14158675310" };
const page = "mycompany.com/myapp.php?foo=1&bar=2";
const bodySHA256 = "bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";

// From Twilio's documentation and the tests of its SDKs; all with the token 12345.
const vectors: [string, Record<string, string | readonly string[]>, string][] = [
  ["https://example.com/myapp.php?foo=1&bar=2", other, "L/OH5YylLD5NRKLltdqwSvS0BnU="],
  [`https://${page}`, call, "RSOYDt4T1cUTdK1PDd93/VVr8B8="],
  ["https://mycompany.com:443/myapp.php?foo=1&bar=2", call, "kvajT1Ptam85bY51eRf/AJRuM3w="],
  ["http://mycompany.com:80/myapp.php?foo=1&bar=2", call, "0ZXoZLH/DfblKGATFgpif+LLRf4="],
  ["http://mycompany.com:1234/myapp.php?foo=1&bar=2", call, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="],
  [
    `https://${page}`,
    { Sid: "CA123", SidAccount: "AC123", Digits: ["5678", "1234", "1234"] },
    "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
  ],
  [`https://${page}&${bodySHA256}`, {}, "a9nBmqA0ju/hNViExpshrM61xv4="],
  [`https://mycompany.com/myapp.php?${bodySHA256}`, {}, "y77kIzt2vzLz71DgmJGsen2scGs="],
  [`https://${page}&Body=It's+amazing`, call, "TfZzewPq8wqrGlMfyAud8+/IvJ0="],
  [`https://${page}`, { Digits: "", CallSid: "CA1234567890ABCDE", EmptyParam: "" }, "9HHp/OqQMEwdrVebHDdA/+tqjX8="],
  [
    `https://${page}`,
    { Message: "Hello & goodbye! @#$%^*()", From: "+1 (415) 867-5309", Special: "unicode: ñáéíóú" },
    "dCPiR4WtQ6QFN6pJh81CtlCcWLQ=",
  ],
];

describe.each(vectors)("%s %j", (url, parameters, signature) => {
  const signed = { url, form: formOf(parameters) };

  test("is signed", () => expect(isSignedWith("12345", signature, signed)).toBe(true));
  test("is not signed with another token", () => expect(isSignedWith("12346", signature, signed)).toBe(false));
});

test.each(vectors.slice(0, 2))("%s: we sign as Twilio does", (url, parameters, signature) => {
  expect(signForm("12345", { url, form: formOf(parameters) })).toBe(signature);
});

test.each([
  ["https://example.com/a", "https://example.com:443/a"],
  ["https://example.com:443/a", "https://example.com/a"],
  ["https://example.com/a", "https://example.com:8443/a"],
  ["http://example.com/a", "http://example.com:80/a"],
  ["https://example.com/a?b=it's", "https://example.com/a?b=it%27s"],
  ["https://example.com/a?b=it%27s", "https://example.com/a?b=it%27s"],
  ["https://example.com/a?b=it's+c", "https://example.com/a?b=it%27s+c"],
  ["https://example.com/a?b=it%27s+c", "https://example.com/a?b=it%27s+c"],
  ["https://EXAMPLE.com/a?b=c", "https://EXAMPLE.com/a?b=c"],
  ["https://example.com/a?b=c", "https://EXAMPLE.com/a?b=c"],
  ["https://example.com/ñ/a?b=ñ", "https://example.com/ñ/a?b=ñ"],
  ["https://example.com/%C3%B1/a?b=%C3%B1", "https://example.com/ñ/a?b=ñ"],
  ["https://user:pass@example.com:443/a", "https://user:pass@example.com/a"],
  ["https://[::1]/a", "https://[::1]:8443/a"],
  ["https://[::1]:443/a", "https://[::1]/a"],
  ["https://example.com/a?", "https://example.com/a?"],
  // Written bare, and escaped on the way.
  ["https://example.com/a?to=ops@example.com", "https://example.com/a?to=ops%40example.com"],
  ["https://example.com/a?to=ops@example.com&at=12:30", "https://example.com:443/a?to=ops%40example.com&at=12%3a30"],
  ["https://example.com/a?to=a@b&name=J%20D", "https://example.com/a?to=a%40b&name=J%20D"],
  ["https://example.com/a?to=a@b&name=J+D", "https://example.com/a?to=a%40b&name=J%20D"],
  ["https://example.com/a?to=a@b&name=J+D", "https://example.com/a?to=a%40b&name=J+D"],
  ["https://example.com/a?name=O'Hara!&to=%40b", "https://example.com/a?name=O%27Hara%21&to=%40b"],
  ["https://example.com/a?key=QUJD==&list[]={1|2}", "https://example.com/a?key=QUJD%3D%3D&list%5B%5D=%7B1%7C2%7D"],
  ["https://example.com/a?city=Köln&x=%26%25%23", "https://example.com/a?city=K%C3%B6ln&x=%26%25%23"],
])("signed over %s, received as %s", (told, received) => {
  const form = formOf(call);
  expect(isSignedWith("12345", signForm("12345", { url: told, form }), { url: received, form })).toBe(true);
});

test.each([
  ["an escaped separator is not a separator", "https://example.com/a?b=c&d", "https://example.com/a?b=c%26d"],
  ["an escaped percent sign is not an escape", "https://example.com/a?b=%40", "https://example.com/a?b=%2540"],
  ["nor is a path's escape undone", "https://example.com/a@b", "https://example.com/a%40b"],
  ["another host", "https://example.org/a", "https://example.com/a"],
  ["another port than the scheme's, where none came", "https://example.com:8443/a", "https://example.com/a"],
])("%s: signed over %s, received as %s", (_, told, received) => {
  const form = formOf(call);
  expect(isSignedWith("12345", signForm("12345", { url: told, form }), { url: received, form })).toBe(false);
});

test.each([
  "",
  "no URL",
  "https://",
  "?",
  "https://exa mple.com/?%",
  "https://example.com/?\ud800=%ED%A0%80",
  "\u0000",
])("the address %j neither throws nor matches", (url) => {
  const form = formOf(call);
  expect(isSignedWith("12345", "L/OH5YylLD5NRKLltdqwSvS0BnU=", { url, form })).toBe(false);
  expect(isTextSignedWith("12345", "L/OH5YylLD5NRKLltdqwSvS0BnU=", { url, text: "{}" })).toBe(false);
});

test("of a large form only the likely addresses are tried: each costs a hash of it", () => {
  const form = formOf({ ...call, Payload: "x".repeat(32 * 1024) });
  const signedOver = (url: string) => ({ signature: signForm("12345", { url, form }), form });
  for (const told of ["https://example.com/a?b=c%40d", "https://example.com:443/a?b=c%40d"]) {
    const { signature } = signedOver(told);
    expect(isSignedWith("12345", signature, { url: "https://example.com/a?b=c%40d", form })).toBe(true);
  }
  const { signature } = signedOver("https://example.com/a?b=c@d's+e");
  expect(isSignedWith("12345", signature, { url: "https://example.com/a?b=c%40d%27s%20e", form })).toBe(false);
});

test.each([undefined, "", " ", "x", "L/OH5YylLD5NRKLltdqwSvS0BnU", "L/OH5YylLD5NRKLltdqwSvS0BnU=="])(
  "the signature %j is none",
  (signature) => {
    expect(
      isSignedWith("12345", signature, { url: "https://example.com/myapp.php?foo=1&bar=2", form: formOf(other) }),
    ).toBe(false);
  },
);

test("without a token nothing is signed, not even with an empty one", () => {
  const signed = { url: "https://example.com/", form: formOf(call) };
  expect(isSignedWith("", signForm("", signed), signed)).toBe(false);
});

test.each([
  ["a=1&b=2&a=3", { a: ["1", "3"], b: "2" }],
  ["a=+b%2Bc%20d", { a: " b+c d" }],
  ["a&b=&=c", { a: "", b: "", "": "c" }],
  ["%F0%9F%9A%A8=%EF%BF%BD", { "🚨": "\uFFFD" }],
  ["a=b=c&&d", { a: "b=c", d: "" }],
  ["", {}],
])("the form %j", (text, parameters) => expect(parseForm(text)).toEqual(formOf(parameters)));

test("names that objects already have are names like any other", () => {
  const form = parseForm("__proto__=a&constructor=b&__proto__=c&toString=d");
  expect([...form]).toEqual([
    ["__proto__", ["a", "c"]],
    ["constructor", ["b"]],
    ["toString", ["d"]],
  ]);
  const signature = signForm("12345", { url: "https://example.com/", form });
  expect(isSignedWith("12345", signature, { url: "https://example.com/", form })).toBe(true);
  const less = parseForm("constructor=b&toString=d");
  expect(isSignedWith("12345", signature, { url: "https://example.com/", form: less })).toBe(false);
});

describe("for every form", () => {
  const word = fc
    .string({
      unit: fc.oneof(
        fc.constantFrom("a", "b", "=", "&", "+", "%", " ", "'"),
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      ),
      maxLength: 12,
    })
    .map((text) => text.toWellFormed());
  const pairs = fc.array(fc.tuple(fc.oneof(word, fc.constantFrom("__proto__", "constructor", "AccountSid")), word), {
    maxLength: 8,
  });
  const token = fc.stringMatching(/^[0-9a-f]{32}$/);
  const query = fc.stringMatching(/^[a-z0-9=&+%'._~-]{0,20}$/);
  const encoded = (form: readonly (readonly [string, string])[]) =>
    new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])).toString();
  const signedForm = fc.record({ token, query, pairs });
  const urlWith = (query: string) => `https://example.com/webhooks/usage-trigger${query === "" ? "" : `?${query}`}`;

  test("what was signed is recognised, in whichever order the parameters come", () => {
    fc.assert(
      fc.property(signedForm, ({ token, query, pairs }) => {
        const url = urlWith(query);
        const signature = signForm(token, { url, form: parseForm(encoded(pairs)) });
        expect(isSignedWith(token, signature, { url, form: parseForm(encoded([...pairs].reverse())) })).toBe(true);
      }),
    );
  });

  describe("Twilio's own library is the measure", () => {
    const library = (form: Form) => Object.assign(Object.create(null), Object.fromEntries(form));
    const url = fc
      .tuple(
        fc.constantFrom("https", "http"),
        fc.constantFrom("example.com", "EXAMPLE.com", "u:p@example.com", "[::1]"),
        fc.constantFrom("", ":443", ":80", ":8443"),
        fc.constantFrom("", "/", "/a/b", "/ñ", "/a%40'b"),
        fc.oneof(
          fc.constant(""),
          fc.string({ unit: fc.constantFrom(..."ab=&+%'@:[ñ😀 \"*0279".split("")), maxLength: 16 }),
        ),
      )
      .map(
        ([scheme, host, port, path, query]) =>
          `${scheme}://${host}${port}${path}${query && `?${query.toWellFormed()}`}`,
      );

    test("we sign as it does", () => {
      fc.assert(
        fc.property(token, url, pairs, (token, url, pairs) => {
          const form = parseForm(encoded(pairs));
          expect(signForm(token, { url, form })).toBe(getExpectedTwilioSignature(token, url, library(form)));
        }),
      );
    });

    test("what it accepts, we accept, whichever address was signed", () => {
      const told = (url: string): string[] => {
        const normal = new URL(url).href;
        const portOf = (address: string, port: string) =>
          address.replace(/(:\/\/(?:u:p@)?(?:\[::1\]|[^:/?]+))(:\d+)?/, `$1${port}`);
        const addresses = [url, normal].flatMap((one) => [
          one,
          portOf(one, ""),
          portOf(one, ":443"),
          portOf(one, ":80"),
        ]);
        return addresses.flatMap((one) => {
          const [before, ...query] = one.split("?");
          return query.length === 0
            ? [one]
            : [one, `${before}?${querystring.stringify(querystring.parse(query.join("?")))}`];
        });
      };
      let accepted = 0;
      fc.assert(
        fc.property(token, url, pairs, fc.nat(), (token, url, pairs, which) => {
          const form = parseForm(encoded(pairs));
          const addresses = told(url);
          const signature = getExpectedTwilioSignature(
            token,
            addresses[which % addresses.length] ?? url,
            library(form),
          );
          if (!validateRequest(token, signature, url, library(form))) return;
          accepted += 1;
          expect(isSignedWith(token, signature, { url, form })).toBe(true);
        }),
        { numRuns: 500 },
      );
      expect(accepted).toBeGreaterThan(100);
    });
  });

  test("a query that is escaped anew on the way is recognised, whatever of it stood bare", () => {
    const bareQuery = fc.string({
      unit: fc.constantFrom(..."ab12=&@:/?!$'()*,;~-._[]{}|^`<>".split("")),
      maxLength: 24,
    });
    fc.assert(
      fc.property(token, bareQuery, pairs, (token, query, pairs) => {
        const form = parseForm(encoded(pairs));
        const signature = signForm(token, { url: urlWith(query), form });
        const received = query.replace(
          /[^ab12=&._~-]/g,
          (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
        );
        expect(isSignedWith(token, signature, { url: urlWith(received), form })).toBe(true);
      }),
    );
  });

  test("another character anywhere breaks it: in a name, a value, the URL or the token", () => {
    const change = fc.record({ where: fc.nat(), letter: fc.constantFrom("x", "y") });
    fc.assert(
      fc.property(signedForm, change, ({ token, query, pairs }, { where, letter }) => {
        const url = urlWith(query);
        const form = parseForm(encoded(pairs));
        const signature = signForm(token, { url, form });
        // Only letters that mean themselves are exchanged: an escape that is cut in two is another matter.
        const swap = (text: string) => withLetter(text, where, letter);
        expect(isSignedWith(swap(token), signature, { url, form })).toBe(false);
        expect(
          isSignedWith(token, signature, {
            url: `https://example.com/${swap("webhooks")}/usage-trigger${url.slice(42)}`,
            form,
          }),
        ).toBe(false);
        expect(isSignedWith(token, swap(signature), { url, form })).toBe(false);
        for (const [index, [name, value]] of pairs.entries()) {
          const before = pairs.slice(0, index);
          const after = pairs.slice(index + 1);
          for (const changed of [[swap(name), value] as const, [name, swap(value)] as const]) {
            if (changed.join() === [name, value].join()) continue;
            const tampered = parseForm(encoded([...before, changed, ...after]));
            expect(isSignedWith(token, signature, { url, form: tampered })).toBe(false);
          }
        }
      }),
    );
  });
});

/** `text` with another character at one place; as it was when it is empty. */
function withLetter(text: string, where: number, letter: string): string {
  const characters = [...text];
  if (characters.length === 0) return text;
  const place = where % characters.length;
  characters[place] = characters[place] === letter ? "z" : letter;
  return characters.join("");
}
