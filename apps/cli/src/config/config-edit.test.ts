import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { CliError } from "../text/cli-error.js";
import { setFeatureInConfig } from "./config-edit.js";

const KEY = "use_agent_identity";
const set = (text: string, value = true): string =>
  setFeatureInConfig(text, KEY, value, "config.toml");

function refusalOf(text: string): unknown {
  try {
    return set(text);
  } catch (error) {
    return CliError.is(error) ? error.code : error;
  }
}

describe("a text that cannot be edited safely is refused", () => {
  test.each([
    { what: "no TOML", text: "authority = " },
    { what: "features in one line", text: "features = { use_agent_identity = false }" },
    { what: "features without a table", text: "features.use_agent_identity = false" },
    { what: "features that are no table", text: "features = 1" },
    { what: "a header within a text of several lines", text: "authority = '''\n[features]\n'''\n" },
    { what: "a setting that is neither on nor off", text: `[features]\n${KEY} = "no"\n` },
  ])("rejects $what", ({ text }) => {
    expect(refusalOf(text)).toBe("config_invalid");
  });
});

describe("one setting changes and every other byte stays", () => {
  test.each([
    { before: "", after: `[features]\n${KEY} = true\n` },
    { before: "a = 1", after: `a = 1\n\n[features]\n${KEY} = true\n` },
    { before: "[features]\n", after: `[features]\n${KEY} = true\n` },
    {
      before: `[features] # mine\n  ${KEY}  =  false # off\n`,
      after: `[features] # mine\n  ${KEY}  =  true # off\n`,
    },
    { before: "\uFEFF", after: `\uFEFF[features]\n${KEY} = true\n` },
    {
      before: `\uFEFF[features]\r\n${KEY} = false\r\n`,
      after: `\uFEFF[features]\r\n${KEY} = true\r\n`,
    },
    { before: `[features]\r\n${KEY} = false\r\n`, after: `[features]\r\n${KEY} = true\r\n` },
    {
      before: `[other]\n${KEY} = false\n[features]\nx = true\n`,
      after: `[other]\n${KEY} = false\n[features]\n${KEY} = true\nx = true\n`,
    },
    {
      before: `[ "features" ]\n"${KEY}" = false\n[z]\n`,
      after: `[ "features" ]\n"${KEY}" = true\n[z]\n`,
    },
    { before: `[features]\n${KEY} = true\n`, after: `[features]\n${KEY} = true\n` },
  ])("edits $before", ({ before, after }) => {
    expect(set(before)).toBe(after);
  });

  test("turns off as well", () => {
    expect(parse(set(set(""), false))).toEqual({ features: { [KEY]: false } });
  });
});
