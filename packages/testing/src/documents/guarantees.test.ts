import { describe, expect, test } from "vitest";
import { readDocuments, readSources } from "../../checks/documents/documents.ts";
import {
  mentionedGuarantees,
  misnumberedGuarantees,
  statedGuarantees,
  testedGuarantees,
} from "../../checks/documents/guarantees.ts";

const DOCUMENT = "docs/guarantees.md";
// It names guarantees that are not there.
const HERE = "documents/guarantees.test.ts";

const documents = readDocuments();
const stated = statedGuarantees(documents.find(({ path }) => path === DOCUMENT)?.text ?? "");
const tests = readSources().filter(({ path }) => path.endsWith(".test.ts") && !path.endsWith(HERE));
const tested = new Set(tests.flatMap(testedGuarantees));

test("docs/guarantees.md numbers its guarantees by section", () => {
  expect(stated.length).toBeGreaterThan(100);
  expect(misnumberedGuarantees(stated)).toEqual([]);
});

test("each guarantee has a test that bears its id in its title", () => {
  expect(stated.filter((id) => !tested.has(id))).toEqual([]);
});

test("each id in the title of a test is one of a guarantee", () => {
  const unknown = tests.flatMap((file) =>
    testedGuarantees(file)
      .filter((id) => !stated.includes(id))
      .map((id) => `${file.path}: ${id}`),
  );
  expect(unknown).toEqual([]);
});

test("each id that a document mentions is one of a guarantee", () => {
  const mentioned = documents.flatMap(mentionedGuarantees);
  expect(mentioned.filter((id) => !stated.includes(id))).toEqual([]);
});

describe("the ids of guarantees", () => {
  test("are read from a document of one line each", () => {
    const text = '- <a id="G-K1"></a>**G-K1** One.\n- **G-K2** Without an anchor.\nG-K3 none.\n';
    expect(statedGuarantees(text)).toEqual(["G-K1"]);
    expect(statedGuarantees('- <a id="G-K1"></a>**G-K2** Of another.')).toEqual([]);
  });

  test("are read from the ends of titles, one or several", () => {
    const text = "test(\"a (G-K1)\"); test(`b (G-K2, G-A12)`); test('c'); // (G-K3)";
    expect(testedGuarantees({ text })).toEqual(["G-K1", "G-K2", "G-A12"]);
  });

  test("are mentioned anywhere in a text", () => {
    expect(mentionedGuarantees({ text: "(G-K1) [x](guarantees.md#G-B2), RG-K3" })).toEqual([
      "G-K1",
      "G-B2",
    ]);
  });

  test("are misnumbered if one is left out, or there twice", () => {
    expect(misnumberedGuarantees(["G-K1", "G-K2", "G-B1"])).toEqual([]);
    expect(misnumberedGuarantees(["G-K1", "G-K3"])).toEqual(["G-K3"]);
    expect(misnumberedGuarantees(["G-K1", "G-K1"])).toEqual(["G-K1"]);
  });
});
