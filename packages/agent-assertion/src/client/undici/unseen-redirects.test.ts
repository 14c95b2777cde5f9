import { expect, test } from "vitest";
import { UnseenRedirects } from "./unseen-redirects.js";

const from = { url: new URL("https://api.example/v1"), headers: {} };
const next = { url: new URL("https://api.example/v2"), headers: {} };

test("remembers no more than 1,000 times that one URL is expected", () => {
  const unseen = new UnseenRedirects(() => true);
  for (let i = 0; i < 5_000; i += 1) unseen.note(from, 302, { location: "/v2" });
  let taken = 0;
  while (unseen.take(next) !== undefined) taken += 1;
  expect(taken).toBe(1_000);
});

test("reads several Location lines as fetch does", () => {
  const unseen = new UnseenRedirects(() => true);
  unseen.note(from, 302, { location: ["/v2", "/v3"] });
  expect(unseen.take(next)).toBeUndefined();
  expect(unseen.take({ ...next, url: new URL("https://api.example/v2, /v3") })).toBe("named");
});
