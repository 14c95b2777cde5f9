import { describe, expect, test } from "vitest";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { parseRequestFraming } from "./request-framing.js";

// Node's parser refuses most of these before they get here; a parser that is set otherwise must change nothing.
const BAD: [string, string[], string?][] = [
  ["length and coding", ["Content-Length", "3", "Transfer-Encoding", "chunked"]],
  ["length under an alias and coding", ["content_length", "3", "Transfer-Encoding", "chunked"]],
  ["two equal lengths", ["Content-Length", "3", "content-length", "3"]],
  ["two codings", ["Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"]],
  ["a list of lengths", ["Content-Length", "3, 3"]],
  ["a sign", ["Content-Length", "+3"]],
  ["a hexadecimal length", ["Content-Length", "0x3"]],
  ["an empty length", ["Content-Length", ""]],
  ["a length beyond safe integers", ["Content-Length", "9999999999999999"]],
  ["chunked behind another coding", ["Transfer-Encoding", "gzip, chunked"]],
  ["identity", ["Transfer-Encoding", "identity"]],
  ["a coding under an alias", ["Transfer_Encoding", "chunked"]],
  ["a length under an alias", ["Content_Length", "3"]],
  ["a coding in HTTP/1.0", ["Transfer-Encoding", "chunked"], "1.0"],
];

describe("request framing", () => {
  test.each(BAD)("refuses %s", (_, fields, version = "1.1") => {
    expect(() => parseRequestFraming(fields, version)).toThrow(
      expect.objectContaining({ name: RequestRefusal.brandName, code: "invalid_request" }),
    );
  });

  test("knows no body, a length and chunks", () => {
    expect(parseRequestFraming(["Accept", "*/*"], "1.1")).toEqual({ kind: "none" });
    expect(parseRequestFraming(["CONTENT-LENGTH", "0"], "1.0")).toEqual({
      kind: "length",
      length: 0,
    });
    expect(parseRequestFraming(["Transfer-Encoding", "Chunked"], "1.1")).toEqual({
      kind: "chunked",
    });
  });
});
