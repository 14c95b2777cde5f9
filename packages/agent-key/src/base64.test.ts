import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentKeyError } from "../test/agent-key-error.js";
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from "./base64.js";

const bytes = fc.uint8Array({ maxLength: 200 });

describe("decodeBase64", () => {
  test.each([
    ["no padding", "AQ"],
    ["half the padding", "AQ="],
    ["too much padding", "AQID===="],
    ["padding alone", "===="],
    ["padding in the middle", "AQ==AQ=="],
    ["stray bits in the last character", "AR=="],
    ["stray bits in the last character but one padding", "AQF="],
    ["the base64url alphabet", "-_-_"],
    ["a line break", "AQID\n"],
    ["a space before", " AQID"],
    ["a space within", "AQ ID"],
    ["a NUL", "AQID\0"],
    ["a letter that is not ASCII", "AQIÐ"],
    ["a character that looks like A", "ΑQID"],
    ["a lone character", "A"],
    ["a comment", "AQID#"],
  ])("rejects %s", (_name, text) => {
    expect(() => decodeBase64(text)).toThrow(agentKeyError("invalid_request"));
  });

  test.each([undefined, null, 7, ["AQID"], { length: 4 }])("rejects %o", (value) => {
    const text = value as unknown as string;
    expect(() => decodeBase64(text)).toThrow(agentKeyError("invalid_request"));
    expect(() => decodeBase64Url(text)).toThrow(agentKeyError("invalid_request"));
  });

  test("rejects a long text with the same error, and takes a long one that is right", () => {
    const text = "A".repeat(40_000_000);
    expect(decodeBase64(text)).toHaveLength(30_000_000);
    expect(() => decodeBase64(`${text}!`)).toThrow(agentKeyError("invalid_request"));
  });

  test("decodes what encodeBase64 encodes, as Node does", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(encodeBase64(data)).toBe(Buffer.from(data).toString("base64"));
        expect(Uint8Array.from(decodeBase64(encodeBase64(data)))).toEqual(data);
      }),
    );
  });

  test("takes one text for each bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        try {
          expect(encodeBase64(decodeBase64(text))).toBe(text);
        } catch (error) {
          expect(error).toEqual(agentKeyError("invalid_request"));
        }
      }),
    );
  });
});

describe("decodeBase64Url", () => {
  test.each([
    ["padding", "AQ=="],
    ["stray bits in the last character", "AR"],
    ["the standard alphabet", "+/+/"],
    ["a lone character", "A"],
    ["a line break", "AQID\n"],
    ["a comma", "AQID,AQID"],
  ])("rejects %s", (_name, text) => {
    expect(() => decodeBase64Url(text)).toThrow(agentKeyError("invalid_request"));
  });

  test("decodes what encodeBase64Url encodes, as Node does", () => {
    fc.assert(
      fc.property(bytes, (data) => {
        expect(encodeBase64Url(data)).toBe(Buffer.from(data).toString("base64url"));
        expect(Uint8Array.from(decodeBase64Url(encodeBase64Url(data)))).toEqual(data);
      }),
    );
  });
});

test("a view of a larger buffer is encoded alone", () => {
  const view = Uint8Array.from([1, 2, 3, 4, 5]).subarray(1, 3);
  expect(encodeBase64(view)).toBe("AgM=");
  expect(encodeBase64Url(view)).toBe("AgM");
});
