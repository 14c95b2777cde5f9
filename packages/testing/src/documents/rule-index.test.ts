import { describe, expect, test } from "vitest";
import { readDocuments, readSources, readVectorFiles } from "../../checks/documents/documents.ts";
import { readProtocol } from "../../checks/documents/protocol-document.ts";
import {
  faultsOfIndex,
  readIndex,
  readVectors,
  unnamedLists,
} from "../../checks/documents/rule-index.ts";

const document = readDocuments().find(({ path }) => path === "docs/protocol.md");
const rows = readIndex(document?.text ?? "");
const vectors = readVectors(readVectorFiles());

test("each rule of the protocol has vectors or tests, and the index names none that is not there", () => {
  const { rules } = readProtocol(document?.text ?? "");
  expect(rows.length).toBeGreaterThan(100);
  expect(faultsOfIndex(rows, rules, vectors, readSources())).toEqual([]);
});

test("the rows of the index stand in the order of the rules, each once", () => {
  const { rules } = readProtocol(document?.text ?? "");
  expect(rows.map(({ rule }) => rule)).toEqual(rules);
});

test("each list of vectors belongs to a rule", () => {
  expect(vectors.size).toBeGreaterThan(10);
  // What the vectors are judged with.
  const settings = ["assertions", "more-assertions", "requests"].flatMap((file) => [
    `${file}:agents`,
    `${file}:tasks`,
  ]);
  expect(unnamedLists(rows, vectors)).toEqual(settings);
});

describe("an index is refused", () => {
  const known = readVectors([
    { path: "a/keys.json", text: '{"form":"x","valid":[{"name":"k: 1"}],"invalid":[{}]}' },
  ]);
  const sources = [{ path: "packages/a/test/b.test.ts", text: 'test("does this", …)' }];
  const faults = (row: string, rules = ["V-1"]) =>
    faultsOfIndex(readIndex(`\n## Appendix C. Index\n${row}\n`), rules, known, sources);

  test.each([
    ["without a row for a rule", "", ["V-1 has no row"]],
    ["with an empty row", "| V-1 | – | – |", ["V-1 has neither a vector nor a test"]],
    ["with a row for no rule", "| V-1 | `keys` | – |\n| V-2 | `keys` | – |", ["V-2 is not a rule"]],
    ["with an unknown file", "| V-1 | `key` | – |", ["V-1: no vector key"]],
    ["with an unknown list", "| V-1 | `keys:none` | – |", ["V-1: no vector keys:none"]],
    ["with an unknown vector", "| V-1 | `keys:valid:k` | – |", ["V-1: no vector keys:valid:k"]],
    ["with an unknown test file", "| V-1 | – | `a/b: does` |", ["V-1: no test a/b: does"]],
    ["with an unknown title", "| V-1 | – | `a/test/b: do x` |", ["V-1: no test a/test/b: do x"]],
  ])("%s", (_, row, found) => {
    expect(faults(row)).toEqual(found);
  });

  test("and taken with vectors by name, list and file, and a part of a test's title", () => {
    expect(faults("| V-1 | `keys` `keys:valid:k: 1` `keys:invalid` | `a/test/b: does` |")).toEqual(
      [],
    );
    expect(
      unnamedLists(readIndex("\n## Appendix C\n| V-1 | `keys:valid:k: 1` | – |"), known),
    ).toEqual(["keys:invalid"]);
  });
});
