import { memoryStore } from "@countersign/agent-identity";
import { AgentKeyError, StoreError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { codexAuth, codexAuthStore } from "../src/index.js";

const SECRET = "s3cr3t";
const authority = "https://authority.example";
const beside = memoryStore();

// As JavaScript calls them.
const store = (...values: readonly unknown[]) => codexAuthStore(...(values as [never, never]));
const auth = (...values: readonly unknown[]) => codexAuth(...(values as [never, never]));

test.each<[option: string, make: () => unknown]>([
  ["options", () => store("/codex")],
  ["authority", () => store("/codex", { beside })],
  ["authority", () => store("/codex", { authority: SECRET, beside })],
  ["beside", () => store("/codex", { authority })],
  ["beside", () => store("/codex", { authority, beside: SECRET })],
  ["proof", () => store("/codex", { authority, beside, proof: SECRET })],
  ["form", () => store("/codex", { authority, beside, form: "B" })],
  ["insecureHttp", () => store("/codex", { authority, beside, insecureHttp: "false" })],
  ["authority", () => auth("/codex", {})],
])(
  "a wrong %s is config_invalid at construction, and no value is shown (%#)",
  async (option, make) => {
    const making = (async () => make())();
    const { message, hint } = await expectRejection(making, AgentKeyError, "config_invalid");
    expect(message).toMatch(new RegExp(`^${option}(?: must|: )`));
    expect(`${message} ${hint}`).not.toContain(SECRET);
  },
);

describe("a Codex home that the working directory decides is config_invalid, before anything is read:", () => {
  test.each(["", ".", "rel/dir", "~user/x", "/a\0b", { authority, beside }])("%j", async (home) => {
    for (const make of [store, auth]) {
      const making = (async () => make(home, { authority, beside }))();
      const error = await expectRejection(making, StoreError, "config_invalid");
      expect(error.message).toContain("codexHome must be an absolute path");
      expect(error.hint).toContain("the working directory");
    }
  });
});
