import { beforeEach, describe, expect, test } from "vitest";
import { countersign, expectError } from "./command-line.js";
import { type FreshHome, freshHome } from "./fresh-home.js";

let options: FreshHome["options"];

beforeEach(async () => {
  ({ options } = await freshHome());
});

describe("an authority that is no URL is config_invalid, and the one who says so is named", () => {
  const NAMED = { COUNTERSIGN_AUTHORITY: "no url" };
  test.each([
    { args: ["status"], env: NAMED },
    { args: ["identity", "list"], env: NAMED },
    { args: ["identity", "forget", "--account", "a", "--user", "u"], env: NAMED },
    { args: ["header"], env: NAMED },
    { args: ["verify", "AgentAssertion e30"], env: NAMED },
    { args: ["login", "--token-stdin"], env: NAMED },
  ])("COUNTERSIGN_AUTHORITY, for $args", async ({ args, env }) => {
    const result = await countersign(args, { ...options, env, input: "t0ken" });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("error: COUNTERSIGN_AUTHORITY: ");
  });

  test.each([
    { args: ["verify", "AgentAssertion e30"] },
    { args: ["login", "--token-stdin"] },
    { args: ["identity", "forget"] },
    { args: ["identity", "import", "--codex-home", "/"] },
  ])("--authority, for $args", async ({ args }) => {
    const given = [...args, "--authority", "no url"];
    const result = await countersign(given, { ...options, input: "t0ken" });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("error: --authority: ");
  });
});
