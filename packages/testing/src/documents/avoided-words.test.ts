import { expect, test } from "vitest";
import { avoidedWords } from "../../checks/documents/avoided-words.ts";
import { readDocuments, readSources } from "../../checks/documents/documents.ts";

/** Where an avoided word stays, as a part of a line's path and word. At most 20; one that is not needed must leave. */
const EXCEPTIONS: readonly string[] = [
  "documents/avoided-words.",
  // A user of the system.
  "cli/test/configuration.test.ts",
  "agent-authority/test/start-pgbouncer.ts",
  "agent-identity/test/store-failures.test.ts",
];

test("documents, source and tests use no avoided word, but for the exceptions", () => {
  const texts = [...readDocuments(), ...readSources()];
  expect(texts.length).toBeGreaterThan(500);
  const found = texts.flatMap(avoidedWords);
  expect(found.filter((word) => !EXCEPTIONS.some((part) => word.includes(part)))).toEqual([]);
  expect(EXCEPTIONS.length).toBeLessThanOrEqual(20);
  for (const part of EXCEPTIONS) expect(found.join("\n"), "not needed").toContain(part);
});

test.each([
  ["the nonce is none", ["is none"]],
  ["Whoever makes many loses his own first", ["Whoever", "his"]],
  ["a failure is nobody's: whatever it says", ["nobody"]],
  ["Whatever fails is signed anew", ["Whatever", "anew"]],
  ["the auth of now, and meanwhile of then", ["of now", "of then", "meanwhile"]],
  ["tells whether it hears and knows of it", ["hears", "knows of", "tells"]],
])("%j has avoided words", (text, words) => {
  const found = avoidedWords({ path: "a.md", text });
  expect(found.map((word) => word.slice("a.md:1: ".length)).sort()).toEqual(words.toSorted());
});

test.each(["if there is none", "none of them is left", "say whatever they like"])(
  "%j has none",
  (text) => {
    expect(avoidedWords({ path: "a.md", text })).toEqual([]);
  },
);
