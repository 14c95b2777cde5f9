import { expect, test } from "vitest";
import { percentDecoded } from "./percent-decoded.js";

function encodeWhole(text: string, times: number): string {
  let encoded = text;
  for (let i = 0; i < times; i += 1) {
    encoded = [...Buffer.from(encoded)].map((byte) => `%${byte.toString(16)}`).join("");
  }
  return encoded;
}

test("decodes what was encoded whole up to eight times, and no more often", () => {
  for (let times = 0; times <= 8; times += 1) {
    expect(percentDecoded(encodeWhole("_", times)).text, `${times} times`).toBe("_");
  }
  expect(percentDecoded(encodeWhole("_", 9)).text).toBe("%5f");
});
