import { describe, expect, test } from "vitest";
import { refusalOf } from "../test/agent-key-error.js";
import { AgentKeyError } from "./agent-key-error.js";
import { numberIn, type OptionShape, optionChecks } from "./option-checks.js";

const { checkOption, checkOptions } = optionChecks(AgentKeyError);

const STORE: OptionShape = {
  type: "object",
  members: { load: "function", name: "string" },
  expected: "a store",
};
const COUNT = numberIn(1, 9, { optional: false });
const SHARE = numberIn(0, Infinity, { fraction: true });
const PART = numberIn(0, 30, { fraction: true });
const PROOF: OptionShape = { type: "choice", choices: ["bearer", "biscuit"] };
const TEXT: OptionShape = { type: "text", expected: "a text" };
const LIST: OptionShape = { type: "list", expected: "a list of texts" };
const FLAG: OptionShape = { type: "boolean", expected: "true or false" };
const RUN: OptionShape = { type: "function", expected: "a function" };
const BAG: OptionShape = { type: "object", expected: "an object" };

describe("an option that has not the shape is config_invalid: the message names option and type,", () => {
  test.each<[OptionShape, unknown, string]>([
    [STORE, undefined, "must be a store, got nothing"],
    [STORE, null, "must be a store, got null"],
    [STORE, "s3cr3t", "must be a store, got a string"],
    [STORE, ["s3cr3t"], "must be a store, got a list"],
    [STORE, () => "s3cr3t", "must be a store, got a function"],
    [STORE, { load: "s3cr3t" }, "must be a store, got an object without load()"],
    [STORE, { load() {} }, "must be a store, got an object without name"],
    [STORE, Promise.resolve("s3cr3t"), "must be a store, got a promise: await it"],
    [COUNT, undefined, "must be an integer from 1 to 9, got nothing"],
    [COUNT, "5", "must be an integer from 1 to 9, got a string"],
    [COUNT, 0, "must be an integer from 1 to 9, got 0"],
    [COUNT, 10, "must be an integer from 1 to 9, got 10"],
    [COUNT, 1.5, "must be an integer from 1 to 9, got 1.5"],
    [COUNT, Number.NaN, "must be an integer from 1 to 9, got NaN"],
    [SHARE, -0.1, "must be a number from 0 up, got -0.1"],
    [PART, 30.5, "must be a number from 0 to 30, got 30.5"],
    [numberIn(1, Number.MAX_SAFE_INTEGER), 0, "must be an integer from 1 up, got 0"],
    [
      numberIn(1, Number.MAX_SAFE_INTEGER),
      2 ** 53,
      "must be an integer from 1 up, got 9007199254740992",
    ],
    [PROOF, "s3cr3t", 'must be "bearer" or "biscuit", got another text'],
    [PROOF, true, 'must be "bearer" or "biscuit", got a boolean'],
    [TEXT, "", "must be a text, got an empty string"],
    [TEXT, 7, "must be a text, got a number"],
    [LIST, "s3cr3t", "must be a list of texts, got a string"],
    [LIST, { length: 0 }, "must be a list of texts, got an object"],
    [FLAG, "false", "must be true or false, got a string"],
    [RUN, {}, "must be a function, got an object"],
    [BAG, [], "must be an object, got a list"],
  ])("%j with %o", (shape, value, says) => {
    const error = refusalOf(() => checkOption("thing", value, shape));
    expect(error.code).toBe("config_invalid");
    expect(error.message).toBe(`thing ${says}`);
    expect(error.hint).toContain("thing");
    expect(`${error.message} ${error.hint}`).not.toContain("s3cr3t");
  });
});

test("an optional option may be left out, and nothing else", () => {
  checkOption("thing", undefined, { ...STORE, optional: true });
  expect(refusalOf(() => checkOption("thing", null, { ...STORE, optional: true })).code).toBe(
    "config_invalid",
  );
});

test("what has the shape is taken, members of a class and of a prototype too", () => {
  class Store {
    readonly name = "";
    load() {}
  }
  checkOption("thing", new Store(), STORE);
  checkOption("thing", Object.create(new Store()), STORE);
  for (const count of [1, 9]) checkOption("thing", count, COUNT);
  checkOption("thing", 0.5, SHARE);
  checkOption("thing", "biscuit", PROOF);
});

test("options are an object, and the first that is wrong is named", () => {
  const shapes = { store: STORE, count: COUNT, flag: { ...FLAG, optional: true } };
  for (const options of [undefined, null, "s3cr3t", () => {}]) {
    expect(refusalOf(() => checkOptions(options, shapes)).message).toMatch(
      /^options must be an object with store, count, got /,
    );
  }
  expect(refusalOf(() => checkOptions(7, { flag: shapes.flag })).message).toBe(
    "options must be an object, got a number",
  );
  const store = { name: "", load() {} };
  expect(refusalOf(() => checkOptions({ count: 0 }, shapes)).message).toMatch(/^store must/);
  expect(refusalOf(() => checkOptions({ store, count: 0 }, shapes)).message).toMatch(/^count must/);
  checkOptions({ store, count: 1, other: true }, shapes);
});

test("an option that is not named is refused where options are closed, by its name and never its value", () => {
  const shapes = { count: COUNT, flag: { ...FLAG, optional: true } };
  const others = { count: 1, "fl\u001bg": "s3cr3t" };
  checkOptions(others, shapes);
  const error = refusalOf(() => checkOptions(others, shapes, "refuse"));
  expect(error).toMatchObject({
    code: "config_invalid",
    message: "there is no option fl\\u001bg",
    hint: "the options are count, flag",
  });
  const inherited = Object.assign(Object.create(null), { count: 1, toString: true });
  expect(refusalOf(() => checkOptions(inherited, shapes, "refuse")).message).toBe(
    "there is no option toString",
  );
  checkOptions({ count: 1, flag: undefined }, shapes, "refuse");
});
