import { describe, expect, it } from "vitest";
import { printable, printableJson, terminal } from "../../cli/terminal.ts";

const stream = (isTTY: boolean, columns?: number) => {
  const written: string[] = [];
  return { isTTY, ...(columns !== undefined && { columns }), written, write: (text: string) => written.push(text) };
};

describe("terminal", () => {
  it.each([
    ["a terminal", true, {}, true],
    ["a terminal, NO_COLOR set", true, { NO_COLOR: "1" }, false],
    ["a terminal, NO_COLOR set to 0", true, { NO_COLOR: "0" }, false],
    ["a terminal, NO_COLOR empty", true, { NO_COLOR: "" }, true],
    ["a dumb terminal", true, { TERM: "dumb" }, false],
    ["a pipe", false, {}, false],
    ["a pipe, whatever FORCE_COLOR says", false, { FORCE_COLOR: "1" }, false],
  ])("%s", (_what, isTTY, environment, coloured) => {
    const { paint } = terminal(stream(isTTY), stream(true), environment);
    expect(paint("red", "open")).toBe(coloured ? "\u001b[31mopen\u001b[39m" : "open");
  });

  it.each([
    [undefined, 120],
    [80, 100],
    [110, 110],
    [300, 120],
  ])("of %s columns fills %i", (columns, filled) => {
    expect(terminal(stream(true, columns), stream(true), {}).columns).toBe(filled);
  });

  it("keeps data and messages apart", () => {
    const [stdout, stderr] = [stream(false), stream(false)];
    const { print, tell } = terminal(stdout, stderr, {});
    print("data");
    tell("message");
    expect([stdout.written, stderr.written]).toEqual([["data\n"], ["message\n"]]);
  });
});

describe("printable", () => {
  it.each([
    ["Acme Überseegesellschaft 漢字 😀", "Acme Überseegesellschaft 漢字 😀"],
    ["\u001b[31mred", "\\u{1b}[31mred"],
    ["\u009b31m", "\\u{9b}31m"],
    ["a\r\nb\tc\u0000\u007f", "a\\u{d}\\u{a}b\\u{9}c\\u{0}\\u{7f}"],
    ["\u202eevil\u2066", "\\u{202e}evil\\u{2066}"],
    ["a\u200bb\ufeff\u{e0041}", "a\\u{200b}b\\u{feff}\\u{e0041}"],
    ["a\u2028b", "a\\u{2028}b"],
    ["half \ud83d", "half \\u{d83d}"],
  ])("%j becomes %j", (text, safe) => {
    expect(printable(text)).toBe(safe);
  });
});

describe("printableJson", () => {
  it.each(["\u001b[31mred", "\u009b31m", "\u202eevil", "\u{e0041}", "line\u2028two", "plain 漢字 😀", "half \ud83d"])(
    "%j stays the same value, and prints safely",
    (text) => {
      const json = printableJson({ [text]: text });
      expect(JSON.parse(json)).toEqual({ [text]: text });
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    },
  );
});
