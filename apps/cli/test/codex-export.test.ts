import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TemporaryDirectory } from "@countersign/testing";
import { parse } from "smol-toml";
import { beforeEach, describe, expect, test } from "vitest";
import { contentOf, countersign, expectError, output } from "./command-line.js";
import { freshHome } from "./fresh-home.js";

let folder: TemporaryDirectory;
let options: { home: string; input: string };
let codexHome: string;

beforeEach(async () => {
  const fresh = await freshHome();
  folder = fresh.folder;
  options = { home: fresh.home, input: "t0ken\n" };
  codexHome = join(folder.path, "codex");
});

const args = (changes: Readonly<Record<string, string>> = {}) => {
  const values = {
    "--codex-home": codexHome,
    "--authority": "https://authority.example/",
    "--gateway": "https://gateway.example/v1/",
    "--account": "acct-1",
    "--user": "user-1",
    ...changes,
  };
  return ["codex", "export", "--token-stdin", ...Object.entries(values).flat()];
};

describe("an export that cannot be made writes nothing", () => {
  test.each([
    { what: "an account that cannot be one", changes: { "--account": "a b" }, code: "usage" },
    {
      what: "a gateway without encryption",
      changes: { "--gateway": "http://gateway.example" },
      code: "config_invalid",
    },
    {
      what: "an authority that is no URL",
      changes: { "--authority": "authority" },
      code: "config_invalid",
    },
  ])("rejects $what", async ({ changes, code }) => {
    expectError(await countersign(args(changes), options), code, 2);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects a missing token", async () => {
    expectError(await countersign(args(), { ...options, input: "" }), "usage", 2);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("leaves a home that is there as it is, unless forced", async () => {
    await output(args(), options);
    await writeFile(join(codexHome, "auth.json"), "mine");
    const before = contentOf(folder.path);
    expectError(await countersign(args(), options), "config_invalid", 2);
    expect(contentOf(folder.path)).toEqual(before);
    await output([...args(), "--force"], options);
    expect(await readFile(join(codexHome, "auth.json"), "utf8")).not.toBe("mine");
  });
});

test("writes what Codex reads, for the owner alone", async () => {
  await output(args(), options);
  for (const name of ["config.toml", "auth.json"]) {
    expect((await stat(join(codexHome, name))).mode & 0o777).toBe(0o600);
  }
  expect(parse(await readFile(join(codexHome, "config.toml"), "utf8"))).toMatchObject({
    model_provider: "countersign",
    chatgpt_base_url: "https://authority.example/backend-api",
    features: { use_agent_identity: true },
    model_providers: {
      countersign: { base_url: "https://gateway.example/v1", wire_api: "responses" },
    },
  });
  const auth = JSON.parse(await readFile(join(codexHome, "auth.json"), "utf8"));
  expect(Object.keys(auth)).toEqual(["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"]);
  expect(auth.tokens).toMatchObject({ access_token: "t0ken", account_id: "acct-1" });
  const [, payload = "", signature] = auth.tokens.id_token.split(".");
  expect(signature).not.toBe("");
  expect(JSON.parse(Buffer.from(payload, "base64url").toString("utf8"))).toMatchObject({
    "https://api.openai.com/auth": { chatgpt_account_id: "acct-1", chatgpt_user_id: "user-1" },
  });
});
