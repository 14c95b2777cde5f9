import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentKeyError, refusalOf } from "../test/agent-key-error.js";
import { isPrincipalId, isServerId, parseScopeId } from "./ids.js";

const character = fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code));
const visible = (text: string) => [...text].every((c) => c > " " && c <= "~");

describe("isServerId", () => {
  test.each([
    undefined,
    null,
    7,
    ["a"],
    { toString: () => "a" },
    "",
    ".",
    "..",
    "../../evil",
    "a/b",
    "a:b",
    "a b",
    "a?x=1",
    "a#b",
    "a%2e",
    "a\\b",
    'a"b',
    "a<b",
    "a>b",
    "a\0b",
    "a\n",
    "агент",
    "a".repeat(257),
  ])("rejects %j", (value) => {
    expect(isServerId(value)).toBe(false);
  });

  test.each(["agent_01J9ZC3Q6H", "agent+rt=7~x.y", "...", ".a", "-", "a".repeat(256)])(
    "takes %.20s",
    (value) => {
      expect(isServerId(value)).toBe(true);
    },
  );

  test('takes any visible ASCII but " # % / : < > ? \\', () => {
    const allowed = (text: string) => visible(text) && !/["#%/:<>?\\]/.test(text);
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 1, maxLength: 3 }), (text) => {
        expect(isServerId(text)).toBe(allowed(text) && text !== "." && text !== "..");
      }),
      { numRuns: propertyRuns(2000) },
    );
  });

  test("never lets an id change the signed text's parts or a URL's path (G-K8)", () => {
    const id = fc.string({ unit: character, maxLength: 8 }).filter(isServerId);
    fc.assert(
      fc.property(id, id, (agent, task) => {
        expect(`${agent}:${task}:now`.split(":")).toEqual([agent, task, "now"]);
        const { pathname } = new URL(
          `https://a.example/v1/agent/${encodeURIComponent(agent)}/task`,
        );
        expect(decodeURIComponent(pathname)).toBe(`/v1/agent/${agent}/task`);
      }),
    );
  });
});

describe("isPrincipalId", () => {
  test.each([
    undefined,
    null,
    7,
    "",
    "a b",
    'a"b',
    "a,b",
    "a\\b",
    "a\u007f",
    "é",
    "a\r\nb",
    "a".repeat(257),
  ])("rejects %j", (value) => {
    expect(isPrincipalId(value)).toBe(false);
  });

  test.each([
    "acct-1",
    "https://issuer.example/user|1",
    "user@host.example",
    "..",
    "a".repeat(256),
  ])("takes %.40s", (value) => {
    expect(isPrincipalId(value)).toBe(true);
  });

  test('takes any printable ASCII but space " , \\', () => {
    const allowed = (text: string) => visible(text) && !/[",\\]/.test(text);
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 1, maxLength: 3 }), (text) => {
        expect(isPrincipalId(text)).toBe(allowed(text));
      }),
      { numRuns: propertyRuns(2000) },
    );
  });
});

describe("parseScopeId", () => {
  test.each([
    ["nothing", ""],
    ["a line break", "a\nb"],
    ["a NUL", "a\0"],
    ["a C1 control", "a\u0085"],
    ["half a surrogate pair", "a\ud83d"],
    ["257 characters", "a".repeat(257)],
    ["257 characters of two units each", "😀".repeat(257)],
    ["a text without end", "a".repeat(50_000_000)],
  ])("rejects %s", (_name, value) => {
    expect(() => parseScopeId(value)).toThrow(agentKeyError("invalid_request"));
  });

  test.each([undefined, null, 7, Symbol("a")])("rejects %o", (value) => {
    const id = value as unknown as string;
    expect(() => parseScopeId(id)).toThrow(agentKeyError("invalid_request"));
  });

  test.each(["thread-42", "../../etc/passwd", "Gespräch 7", "нить", "a:b", "..", "😀".repeat(256)])(
    "gives %.20s back as it came",
    (value) => {
      expect(parseScopeId(value)).toBe(value);
    },
  );

  test("never repeats what it was given", () => {
    expect(refusalOf(() => parseScopeId("secret\n")).message).not.toContain("secret");
  });
});
