import { describe, expect, test } from "vitest";
import { expectRejection } from "../../test/expect-rejection.js";
import { agent, header, key } from "../../test/fixtures.js";
import { parseAssertion } from "./parse-assertion.js";
import { SignatureCache } from "./signature-cache.js";

describe("SignatureCache", () => {
  test("keeps no more signatures than it may, the oldest going first", () => {
    const checked: string[] = [];
    const publicKey = Object.create(key.publicKey, {
      line: { value: key.publicKey.line },
      verify: {
        value: (text: string) => {
          checked.push(text);
          return true;
        },
      },
    });
    const record = { ...agent, publicKeys: [publicKey] };
    const cache = new SignatureCache(2);
    const parsed = parseAssertion(header);
    for (const name of ["a", "b", "a", "c", "b", "a", "c"]) {
      expect(cache.isSigned({ ...parsed, header: name, taskId: name }, record)).toBe(true);
    }
    expect(checked.map((text) => text.split(":")[1])).toEqual(["a", "b", "c", "a"]);
  });

  test("takes what is no field for a missing one, as a program without types may give it", async () => {
    for (const value of [null, {}, []]) {
      const parse = () => new SignatureCache(1).parse(value as unknown as undefined);
      await expectRejection(parse, "missing");
    }
  });
});
