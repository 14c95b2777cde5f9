import { describe, expect, test } from "vitest";
import { createSecretSearch } from "./secret-search.js";

const SECRET = "s3cr3t/+Token~-_42=.%aB";
const isSecret = createSecretSearch(SECRET);

const percent = (text: string): string =>
  [...text].map((it) => `%${it.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");
const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");
const base64url = (text: string): string => Buffer.from(text, "latin1").toString("base64url");

function times(count: number, text: string): string {
  let encoded = text;
  for (let done = 0; done < count; done += 1) encoded = encodeURIComponent(encoded);
  return encoded;
}

describe("a secret is not found in", () => {
  test.each([
    ["nothing", ""],
    ["all but its last character", SECRET.slice(0, -1)],
    ["all but its first character", SECRET.slice(1)],
    ["itself with a character between", `${SECRET.slice(0, 9)}.${SECRET.slice(9)}`],
    ["its base64 without the end", base64(SECRET).slice(0, -4)],
    ["many beginnings of it", SECRET.slice(0, -1).repeat(900)],
    ["bytes of every value", String.fromCharCode(...Array(256).keys())],
    ["stray percent signs", "%zz%4%%%".repeat(40)],
    ["long base64 of something else", base64("something else ".repeat(40))],
  ])("%s", (_, text) => {
    expect(isSecret(text)).toBe(false);
  });
});

describe("a secret is found (G-P4)", () => {
  test.each([
    ["as it is", SECRET],
    ["inside another text", `\u00ffBearer ${SECRET}, x`],
    ["behind its own beginning", SECRET.slice(0, 7) + SECRET],
    ["in upper case", SECRET.toUpperCase()],
    ["folded as a field name is", SECRET.toLowerCase().replaceAll("_", "-")],
    ["percent-encoded as a URL's part is", `/v1?key=${encodeURIComponent(SECRET)}&x`],
    ["percent-encoded in whole", percent(SECRET)],
    ["percent-encoded in whole, in upper case", percent(SECRET).toUpperCase()],
    ["percent-encoded in one character", `${percent(SECRET[0] ?? "")}${SECRET.slice(1)}`],
    ["percent-encoded in whole, twice", percent(percent(SECRET))],
    ["in %uXXXX", percent(SECRET).replaceAll("%", "%u00")],
    ["percent-encoded twice", times(2, percent(SECRET))],
    ["percent-encoded eight times", times(7, percent(SECRET))],
    ["behind what would become one character with it", `%254${percent(SECRET)}`],
    ["in base64 of a percent-encoded text", `Basic ${base64(`x:${percent(SECRET)}`)}`],
    ["in percent-encoded base64", `Basic ${percent(base64(`x:${SECRET}`))}`],
    ["in base64 behind a prefix of its alphabet", `a.b/key-${base64(SECRET)}`],
  ])("%s", (_, text) => {
    expect(isSecret(text)).toBe(true);
  });

  test.each([0, 1, 2, 3, 4, 5])("in base64 and base64url behind %i bytes", (count) => {
    for (const end of ["", "x", "xy", "xyz"]) {
      const text = `${"\u00e9".repeat(count)}${SECRET}${end}`;
      for (const encoded of [base64(text), base64(text).replaceAll("=", ""), base64url(text)]) {
        expect(isSecret(encoded)).toBe(true);
        expect(isSecret(`Basic ${encoded}, x`)).toBe(true);
      }
    }
  });

  test("at every place of a long text", () => {
    for (let at = 0; at < 100; at += 1) {
      expect(isSecret("x".repeat(at) + SECRET + "y".repeat(100 - at))).toBe(true);
    }
  });
});

test("a text that is percent-encoded too often to be read counts as the secret", () => {
  expect(isSecret(times(9, `%${"x".repeat(40)}`))).toBe(true);
  expect(isSecret(times(7, `%${"x".repeat(40)}`))).toBe(false);
});
