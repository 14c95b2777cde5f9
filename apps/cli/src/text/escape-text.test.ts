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
