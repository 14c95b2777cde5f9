import { createHash } from "node:crypto";
import { contentDigest } from "@countersign/agent-key/message-signature";
import { describe, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { checkContentDigest } from "./check-content-digest.js";

const body = Buffer.from('{"hello": "world"}');
const sha256 = contentDigest(body);
const sha512 = `sha-512=:${createHash("sha512").update(body).digest("base64")}:`;
const other256 = contentDigest(Buffer.from("other"));

describe("checkContentDigest", () => {
  test.each([
    ["nothing", ""],
    ["no known algorithm", "md5=:AA==:"],
    ["another body's", other256],
    ["another body's beside a right one", `${sha512}, ${other256}`],
    ["a right one beside another body's", `${sha256}, sha-512=:AA==:`],
    ["one algorithm twice", `${sha256}, ${sha256}`],
    ["a text instead of bytes", sha256.replaceAll(":", '"')],
    ["hexadecimal", `sha-256=:${createHash("sha256").update(body).digest("hex")}:`],
    ["base64 without padding", sha256.replace("=:", ":").replace("=:", ":")],
    ["stray bits in the last character", sha256.replace(/(.)=:$/, "$1x=:")],
    ["a parameter", `${sha256};a`],
    ["a list", `sha-256=(${sha256.slice(8)})`],
    ["no dictionary", ":AA==:"],
  ])("refuses %s", async (_, value) => {
    await expectFailure(() => checkContentDigest(value, body), "bad_signature");
  });

  test("refuses the digest of every body that differs in one bit", async () => {
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const flipped = Buffer.from(body);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expectFailure(() => checkContentDigest(sha256, flipped), "bad_signature");
    }
  });

  test.each([sha256, sha512, `${sha256}, ${sha512}`, `${sha512},${sha256}, md5=:AA==:`])(
    "takes %s",
    (value) => {
      expect(checkContentDigest(value, body)).toBeUndefined();
    },
  );

  // RFC 9421 B.2, the digest of its test request.
  test("takes the digest of the example of RFC 9421", () => {
    const value =
      "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
    expect(checkContentDigest(value, body)).toBeUndefined();
  });
});
