import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { AgentKeyError } from "./agent-key-error.js";
import { assertNode } from "./node-floor.js";
import { optionChecks } from "./option-checks.js";

const refusal = expect.objectContaining({
  name: "AgentKeyError",
  code: "config_invalid",
  message: expect.stringContaining("needs Node 22.19 or newer"),
  hint: expect.stringContaining("nodejs.org"),
});

test.each(["18.20.8", "20.20.2", "22.18.0", "v22"])(
  "refuses Node %s and names the one it needs",
  (version) => {
    expect(() => assertNode(AgentKeyError, version)).toThrow(refusal);
  },
);

test.each(["22.19.0", "22.20.1", "24.0.0", "26.10.0"])("takes Node %s", (version) => {
  expect(() => assertNode(AgentKeyError, version)).not.toThrow();
});

test("refuses what is below the floor that the package declares", () => {
  const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(engines.node).toBe(">=22.19");
});

test("options are not taken under an older Node, right ones neither", () => {
  const { versions } = process;
  onTestFinished(() => void Object.defineProperty(process, "versions", { value: versions }));
  Object.defineProperty(process, "versions", { value: { ...versions, node: "20.20.2" } });
  const { checkOption, checkOptions } = optionChecks(AgentKeyError);
  expect(() => checkOptions({}, {})).toThrow(refusal);
  expect(() => checkOption("name", "x", { type: "text", expected: "a text" })).toThrow(refusal);
});
