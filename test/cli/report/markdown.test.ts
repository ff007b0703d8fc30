import { describe, expect, it } from "vitest";
import { code, facts, plain, table } from "../../../cli/report/markdown.ts";

describe("plain", () => {
  it.each([
    ["Acme Überseegesellschaft 漢字 😀", "Acme Überseegesellschaft 漢字 😀"],
    ["a | b", "a \\| b"],
    ["`rm` **now** _x_ ~~y~~", "\\`rm\\` \\*\\*now\\*\\* \\_x\\_ \\~\\~y\\~\\~"],
    ["[click](http://evil.example)", "\\[click\\](http\\://evil.example)"],
    ["<img src=x>&lt;", "\\<img src=x\\>\\&lt;"],
    ["www.evil.example and bob@example.com", "www\\.evil.example and bob&#64;example.com"],
    ["back\\slash", "back\\\\slash"],
    ["one\n\n# two\r\n- three\u2028four", "one # two - three four"],
    ["\u001b[2J\u202eevil\u0000\ud83d", "\\[2J evil"],
    ["", ""],
  ])("%j becomes %j", (text, markdown) => {
    expect(plain(text)).toBe(markdown);
  });
});

describe("code", () => {
  it.each([
    ["daily-spend", "`daily-spend`"],
    ["a|b", "`a\\|b`"],
    ["a`b", "`` a`b ``"],
    ["``", "``` `` ```"],
    ["a\nb", "`a b`"],
    ["", ""],
  ])("%j becomes %j", (text, markdown) => {
    expect(code(text)).toBe(markdown);
  });
});

describe("table", () => {
  it("has a line for each row, and nothing without rows", () => {
    expect(table(["A", "B"], [["1", ""]])).toBe("| A | B |\n|---|---|\n| 1 | |");
    expect(table(["A"], [])).toBe("");
  });

  it("leaves out facts that are not known", () => {
    expect(
      facts([
        ["a", null],
        ["b", ""],
        ["c", "1"],
      ]),
    ).toBe("| | |\n|---|---|\n| c | 1 |");
  });
});
