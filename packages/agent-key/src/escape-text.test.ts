import { expect, test } from "vitest";
import { escapeLines, escapeText } from "./escape-text.js";

test("escapes what would move a cursor, end a line or turn the text around", () => {
  expect(escapeText("a\u001b[2Jb\r\nc\u202ed\u2028e\u009bf")).toBe(
    "a\\u001b[2Jb\\u000d\\u000ac\\u202ed\\u2028e\\u009bf",
  );
});

test("leaves letters of every script", () => {
  expect(escapeText("schöne Grüße, 世界 👋")).toBe("schöne Grüße, 世界 👋");
});

test("leaves line feeds and tabs of a body, and nothing else", () => {
  expect(escapeLines("a\n\tb\u001bc\r")).toBe("a\n\tb\\u001bc\\u000d");
});

test.each([
  ["a zero-width space", "\u200b", "\\u200b"],
  ["a byte order mark", "\ufeff", "\\ufeff"],
  ["a soft hyphen", "\u00ad", "\\u00ad"],
  ["a tag", "\u{e0041}", "\\udb40\\udc41"],
  ["a lone surrogate", "\ud800", "\\ud800"],
  ["a character of private use", "\ue000", "\\ue000"],
  ["a variation selector", "\ufe0f", "\\ufe0f"],
  ["a selector of the supplement", "\u{e0100}", "\\udb40\\udd00"],
  ["a filler", "\u3164", "\\u3164"],
  ["a joiner that is a mark", "\u034f", "\\u034f"],
])("escapes %s, and JSON means the same", (_, character, escaped) => {
  expect(escapeText(`a${character}b`)).toBe(`a${escaped}b`);
  expect(escapeLines(`a${character}\n`)).toBe(`a${escaped}\n`);
  const json = JSON.stringify({ [character]: character });
  expect(JSON.parse(escapeText(json))).toEqual({ [character]: character });
});
