import { describe, expect, test } from "vitest";
import { deadCitations, deadReferences } from "../../checks/documents/dead-citations.ts";
import { readDocuments, readSources } from "../../checks/documents/documents.ts";
import { readProtocol } from "../../checks/documents/protocol-document.ts";

const documents = readDocuments();
const text = documents.find(({ path }) => path === "docs/protocol.md")?.text ?? "";
const protocol = readProtocol(text);
// It cites what is not there.
const HERE = "documents/dead-citations.test.ts";

test("the protocol has its sections, and no rule id twice", () => {
  for (const section of ["0", "5.4", "8.1", "13.2"]) expect(protocol.sections).toContain(section);
  expect(protocol.rules.length).toBeGreaterThan(100);
  expect(new Set(protocol.rules).size).toBe(protocol.rules.length);
});

test("no citation of the protocol leads nowhere", () => {
  const texts = [...documents, ...readSources().filter(({ path }) => !path.endsWith(HERE))];
  expect(texts.length).toBeGreaterThan(500);
  expect(texts.flatMap((it) => deadCitations(it, protocol))).toEqual([]);
});

test("the protocol refers to no section and no rule that it does not have", () => {
  expect(deadReferences(text, protocol)).toEqual([]);
});

// A citation by number cannot be seen to be wrong when the number means another section. If a title changes here, read the citations of that section.
test("the sections of the protocol that others cite keep their numbers", () => {
  const titles = [...text.matchAll(/^#{2,3} (\d+(?:\.\d+)?)\.? (.*)$/gm)].map(
    ([, number, title]) => `${number} ${title}`,
  );
  expect(titles).toMatchInlineSnapshot(`
    [
      "0 Status",
      "1 Overview",
      "2 Terms",
      "3 Encodings",
      "4 Keys",
      "5 The authority's API",
      "5.1 Every message",
      "5.2 Order of checks",
      "5.3 Registration proof",
      "5.4 Register an agent",
      "5.5 Register a task",
      "5.6 Rotate a key",
      "5.7 Revoke one's own agent",
      "5.8 Directory",
      "5.9 Introspection",
      "5.10 Who am I",
      "5.11 Reports of use",
      "6 Assertion",
      "7 Binding",
      "8 Checking an assertion",
      "8.1 Caching and staleness",
      "9 Codes",
      "10 Recovery: what a client does on a refusal",
      "11 Extensions and versions",
      "12 Security considerations",
      "13 Compatibility with Codex",
      "13.1 Generation A: biscuit",
      "13.2 Generation B: identity JWT",
      "13.3 Generation C: bearer",
      "14 Caller token",
    ]
  `);
});

describe("a citation leads nowhere", () => {
  const known = readProtocol("## 3. A\n### 5.4 B\n- **V-4** c\n```\n## 9. D\n```\n");
  const dead = (cited: string) =>
    deadCitations({ path: "a.ts", text: cited }, known).map((found) => found.split(" ")[1]);

  test.each([
    ["protocol §9", "§9"],
    ["(docs/protocol.md §3, §5)", "§5"],
    ["`docs/protocol.md` §3 (ids), §5.4 (agents), §8 (checks)", "§8"],
    ["`docs/protocol.md §3` (ids), `§7` (codes)", "§7"],
    ["`docs/protocol.md` §3 to §6", "§6"],
    ["[protocol](protocol.md) §2", "§2"],
    ["[the protocol, §2](protocol.md)", "§2"],
    ["protocol V-5", "V-5"],
    ["protocol.md V-4, V-6", "V-6"],
  ])("in %s", (cited, found) => {
    expect(dead(cited)).toEqual([found]);
  });

  test.each(["protocol §3, V-4", "protocol.md §5.4; RFC 9421 §2.5", "protocol, RFC 9110 §11"])(
    "not in %s",
    (cited) => {
      expect(dead(cited)).toEqual([]);
    },
  );

  test("in the protocol itself, but for sections of RFCs", () => {
    const own = "V-4, V-9 (§3, §4), RFC 4648 §4, UTF-8, SHA-256";
    expect(deadReferences(own, known)).toEqual(["V-9", "§4"]);
  });
});
