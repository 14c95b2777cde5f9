import axios from "axios";
import { describe, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { ScriptedSource } from "../../test/signed-fetch.js";
import { assertionAdapter } from "../axios.js";
import { withAssertion } from "../fetch.js";
import { assertionInterceptor } from "../undici.js";
import { assertionHeaders, dialWithAssertion } from "../websocket.js";

type Make = (source: unknown, options: unknown) => unknown;

// As a caller without types writes it.
const makers: [string, Make][] = [
  [
    "withAssertion",
    (source, options) => Reflect.apply(withAssertion, undefined, [fetch, source, options]),
  ],
  ["assertionInterceptor", (...args) => Reflect.apply(assertionInterceptor, undefined, args)],
  [
    "assertionAdapter",
    (source, options) => Reflect.apply(assertionAdapter, undefined, [axios, source, options]),
  ],
  ["assertionHeaders", (...args) => Reflect.apply(assertionHeaders, undefined, args)],
  ["dialWithAssertion", (...args) => Reflect.apply(dialWithAssertion, undefined, args)],
];
const options = { origins: ["https://api.example"] };
const source = new ScriptedSource();

describe.each(makers)("%s refuses", (_, make) => {
  test.each<[string, unknown]>([
    ["origins", {}],
    ["origins", { origins: [] }],
    ["origins", { origins: "https://api.example" }],
    ["origins", { origins: [new URL("https://api.example")] }],
    ["keepFields", { ...options, keepFields: "x-api-key" }],
    ["keepFields", { ...options, keepFields: ["authorization"] }],
    ["keepFields", { ...options, keepFields: ["x-api-kex"] }],
    ["ownAuthorization", { ...options, ownAuthorization: "Replace" }],
    ["ownAuthorization", { ...options, ownAuthorization: null }],
    ["elsewhere", { ...options, elsewhere: true }],
    ["onWarning", { ...options, onWarning: console }],
    ["options", undefined],
  ])("%s in %o", async (name, given) => {
    const error = await expectFailure(() => make(source, given), "config_invalid");
    expect(error.message).toContain(name);
    expect(error.hint).toBeDefined();
  });

  test.each<[unknown]>([[undefined], [options], [async () => source], [{ credential: () => {} }]])(
    "the source %o",
    async (given) => {
      const error = await expectFailure(() => make(given, options), "config_invalid");
      expect(error.message).toContain("source");
    },
  );

  test("arguments in another order", async () => {
    const error = await expectFailure(() => make(options, source), "config_invalid");
    expect(error.message).toContain("source");
  });
});

test("a first argument that is not fetch, or not axios, is refused by its name", async () => {
  const withoutFetch = () => Reflect.apply(withAssertion, undefined, [source, fetch, options]);
  expect((await expectFailure(withoutFetch, "config_invalid")).message).toContain("fetch");
  const withoutAxios = () => Reflect.apply(assertionAdapter, undefined, [source, axios, options]);
  expect((await expectFailure(withoutAxios, "config_invalid")).message).toContain("axios");
});
