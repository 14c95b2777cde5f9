import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { expectRejection } from "../../test/expect-rejection.js";
import {
  AGENT_ID,
  fieldOf,
  header,
  key,
  membersOf,
  NOW,
  TASK_ID,
  TIMESTAMP,
} from "../../test/fixtures.js";
import { signAssertion } from "../sign/sign-assertion.js";
import { AssertionRejected } from "./assertion-rejected.js";
import { parseAssertion } from "./parse-assertion.js";
import { parseJsonObject } from "./parse-json-object.js";

vi.mock(import("./parse-json-object.js"), { spy: true });

const token = header.slice("AgentAssertion ".length);
const members = membersOf(header);

function fieldWith(change: Record<string, unknown>): string {
  return fieldOf(JSON.stringify({ ...members, ...change }));
}

describe("parseAssertion", () => {
  test.each([
    ["no field", undefined],
    ["an empty list of fields", []],
    ["an empty field", ""],
    ["white space", "  "],
    ["another scheme", `Bearer ${token}`],
    ["a token without a scheme", token],
    ["part of the scheme's name", "AgentAssert"],
    ["another scheme, however long", `Bearer ${"x".repeat(9000)}`],
  ])("says that an assertion is missing for %s", async (_, field) => {
    await expectRejection(() => parseAssertion(field), "missing");
  });

  test.each([
    ["two fields, though they are equal", [header, header]],
    ["two fields of which one is another scheme", ["Bearer x", header]],
    ["two fields of another scheme", ["Bearer x", "Bearer x"]],
    ["the scheme alone", "AgentAssertion"],
    ["the scheme and a space", "AgentAssertion "],
    ["no space after the scheme", `AgentAssertion${token}`],
    ["a longer scheme", `AgentAssertions ${token}`],
    ["a tab after the scheme", `AgentAssertion\t${token}`],
    ["a tab after the space", `AgentAssertion \t${token}`],
    ["a space before the scheme", ` ${header}`],
    ["a space after the token", `${header} `],
    ["a line break after the token", `${header}\n`],
    ["parameters", `AgentAssertion token="${token}"`],
    ["two credentials", `${header}, ${header}`],
    ["padding", `${header}=`],
    ["standard base64", `AgentAssertion ${"+".repeat(8)}`],
    [
      "a token of a length that no bytes have",
      `${header}A`.slice(0, -(token.length % 4) || undefined),
    ],
    ["more than 8 KiB", fieldWith({ more: "x".repeat(6200) })],
    [
      "bytes that are not UTF-8 in a member that is ignored",
      fieldOf(Buffer.from(`${JSON.stringify(members).slice(0, -1)},"x":"\xff"}`, "latin1")),
    ],
    ["bytes that are not UTF-8", fieldOf(Buffer.from([0x7b, 0xff, 0x7d]))],
    ["an overlong encoding", fieldOf(Buffer.from([0xc0, 0xbb]))],
    [
      "an encoded surrogate",
      fieldOf(
        Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      ),
    ],
    ["a byte order mark", fieldOf(`\ufeff${JSON.stringify(members)}`)],
    ["UTF-16", fieldOf(Buffer.from(JSON.stringify(members), "utf16le"))],
    ["no object", fieldOf("[]")],
    ["something after the object", fieldOf(`${JSON.stringify(members)}{}`)],
    ["a NUL after the object", fieldOf(`${JSON.stringify(members)}\0`)],
    [
      "a repeated member",
      fieldOf(`${JSON.stringify(members).slice(0, -1)},"task\\u005fid":"task-1"}`),
    ],
    ["members of a prototype", fieldOf(`{"__proto__":${JSON.stringify(members)}}`)],
    ["an id with a colon", fieldWith({ agent_runtime_id: "agent:1" })],
    ["a task id with a slash", fieldWith({ task_id: "../task" })],
    ["a task id of 257 characters", fieldWith({ task_id: "t".repeat(257) })],
    ["a timestamp with a fraction", fieldWith({ timestamp: "2026-04-15T17:08:09.0Z" })],
    ["a timestamp of a day that does not exist", fieldWith({ timestamp: "2026-02-30T17:08:09Z" })],
    [
      "a signature without padding",
      fieldWith({ signature: members.signature?.replaceAll("=", "") }),
    ],
    ["a signature with a space", fieldWith({ signature: ` ${members.signature}` })],
  ])("says that an assertion is malformed for %s", async (_, field) => {
    await expectRejection(() => parseAssertion(field), "malformed");
  });

  test.each(["agent_runtime_id", "task_id", "timestamp", "signature"])(
    "says that an assertion is malformed whose %s is missing or no text",
    async (name) => {
      for (const value of [undefined, null, 1, true, [members[name]], { toString: "x" }]) {
        await expectRejection(() => parseAssertion(fieldWith({ [name]: value })), "malformed");
      }
    },
  );

  test("does not read members from a prototype that was tampered with", async () => {
    const { task_id: taskId, ...rest } = members;
    const polluted: Record<string, unknown> = Object.prototype as never;
    polluted.task_id = taskId;
    try {
      await expectRejection(() => parseAssertion(fieldOf(JSON.stringify(rest))), "malformed");
    } finally {
      delete polluted.task_id;
    }
  });

  test("reads a field, alone or in a list", () => {
    const parsed = parseAssertion(header);
    expect(parsed).toMatchObject({
      agentRuntimeId: AGENT_ID,
      taskId: TASK_ID,
      timestamp: TIMESTAMP,
      issuedAt: NOW,
      header,
    });
    expect(Buffer.from(parsed.signature).toString("base64")).toBe(members.signature);
    expect(parseAssertion([header])).toEqual(parsed);
  });

  test("takes a field of exactly 8 KiB and none of a byte more (G-K9)", async () => {
    const padded = (size: number) =>
      `AgentAssertion${" ".repeat(size - 14 - token.length)}${token}`;
    expect(parseAssertion(padded(8192)).taskId).toBe(TASK_ID);
    await expectRejection(() => parseAssertion(padded(8193)), "malformed");
  });

  const id = fc
    .string({
      unit: fc.constantFrom(..."abcXYZ019-._~!$&'()*+,;=@[]^`{|}"),
      minLength: 1,
      maxLength: 256,
    })
    .filter((text) => text !== "." && text !== "..");
  const instant = fc
    .integer({ min: 0, max: 253402300799 })
    .map((second) => `${new Date(second * 1000).toISOString().slice(0, 19)}Z`);

  test("reads back what was signed", () => {
    fc.assert(
      fc.property(id, id, instant, (agentRuntimeId, taskId, timestamp) => {
        const parsed = parseAssertion(signAssertion({ agentRuntimeId, taskId, timestamp, key }));
        expect(parsed).toMatchObject({ agentRuntimeId, taskId, timestamp });
      }),
    );
  });

  test("reads the form that clients write as it reads any other", () => {
    const text = fc.oneof(id, instant, fc.string({ maxLength: 40 }), fc.string({ unit: "binary" }));
    const outcomeOf = (envelope: string) => {
      try {
        const { header: _, ...parsed } = parseAssertion(fieldOf(envelope));
        return parsed;
      } catch (error) {
        return AssertionRejected.is(error) ? error.message : error;
      }
    };
    fc.assert(
      fc.property(id, text, text, fc.oneof(instant, text), (agentId, taskId, other, timestamp) => {
        const signature = key.signText(other);
        const envelope = JSON.stringify({
          agent_runtime_id: agentId,
          signature,
          task_id: taskId,
          timestamp,
        });
        // A space makes it another form of the same object.
        expect(outcomeOf(envelope)).toEqual(outcomeOf(`${envelope} `));
      }),
    );
    vi.mocked(parseJsonObject).mockClear();
    parseAssertion(header);
    expect(parseJsonObject).not.toHaveBeenCalled();
    parseAssertion(fieldOf(`${JSON.stringify(members)} `));
    expect(parseJsonObject).toHaveBeenCalledTimes(1);
  });

  test("returns or rejects, and never fails otherwise, on any field", () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => fieldOf(value));
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(members)));
    const names = fc.constantFrom(...Object.keys(members), "__proto__", "x");
    const objects = fc.dictionary(names, value).map((object) => fieldOf(JSON.stringify(object)));
    const text = fc.string({ unit: "binary" });
    const prefixed = text.map((rest) => `AgentAssertion ${rest}`);
    fc.assert(
      fc.property(fc.oneof(bytes, objects, text, prefixed), (field) => {
        try {
          expect(parseAssertion(field).header).toBe(field);
        } catch (error) {
          if (!AssertionRejected.is(error)) throw error;
          expect(["missing", "malformed"]).toContain(error.code);
        }
      }),
      { numRuns: propertyRuns(2000) },
    );
  });
});
