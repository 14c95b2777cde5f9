import { lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { runProcess, type TemporaryDirectory } from "@countersign/testing";
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

describe("--force does not lose an agent that Codex has registered", () => {
  const authJson = () => join(codexHome, "auth.json");

  async function addMember(agent_identity: unknown, members: object = {}): Promise<void> {
    await output(args(), options);
    const auth = { ...JSON.parse(await readFile(authJson(), "utf8")), ...members, agent_identity };
    await writeFile(authJson(), JSON.stringify(auth));
  }
  const agent = {
    workspace_id: "acct-2",
    chatgpt_user_id: "user-1",
    agent_runtime_id: "agent_1",
    agent_private_key: AgentKey.generate().exportPkcs8(),
  };

  test.each([
    { what: "an agent that is not stored here", identity: agent, code: "config_invalid", exit: 2 },
    { what: "an agent that cannot be read", identity: { a: 1 }, code: "store_corrupt", exit: 1 },
    {
      what: "an identity JWT",
      identity: `e30.${Buffer.from('{"account_id":"a","chatgpt_user_id":"u"}').toString("base64url")}.c2ln`,
      members: { auth_mode: "agentIdentity" },
      code: "config_invalid",
      exit: 2,
    },
  ])("$what stays", async ({ identity, members, code, exit }) => {
    await addMember(identity, members);
    const before = contentOf(folder.path);
    expectError(await countersign([...args(), "--force"], options), code, exit);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("what the hint says keeps it, and then it is replaced", async () => {
    await addMember(agent);
    const refused = await countersign([...args(), "--force"], options);
    const [, hint = ""] = /countersign (identity import .*)$/m.exec(refused.stderr) ?? [];
    await output(hint.split(" "), options);
    await output([...args(), "--force"], options);
    expect(await readFile(authJson(), "utf8")).not.toContain("agent_identity");
    expect(await output(["identity", "list"], options)).toContain("agent_1");
  });
});

describe("--force keeps the agent of the same user with the same authority", () => {
  const managed = {
    agent_runtime_id: "agent_1",
    agent_private_key: AgentKey.generate().exportPkcs8(),
    account_id: "acct-1",
    chatgpt_user_id: "user-1",
    email: "",
    plan_type: "unknown",
    chatgpt_account_is_fedramp: false,
    task_id: "task_1",
  };
  const { account_id: workspace_id, task_id: _, ...rest } = managed;
  const own = { workspace_id, ...rest, registered_at: "2026-03-23T12:00:00Z", later: 1.5 };
  const authJson = () => join(codexHome, "auth.json");
  const authOf = async () => JSON.parse(await readFile(authJson(), "utf8"));

  test.each([
    { form: "A", identity: own },
    { form: "C, with its task", identity: managed },
  ])("in form $form, with the new token, and registers no other", async ({ identity }) => {
    await output(args(), options);
    await writeFile(
      authJson(),
      JSON.stringify({ ...(await authOf()), agent_identity: identity, older: 1 }),
    );
    await output([...args(), "--force"], { ...options, input: "n3w" });
    const { agent_identity, ...login } = await authOf();
    expect(JSON.stringify(agent_identity)).toBe(JSON.stringify(identity));
    expect(login.tokens.access_token).toBe("n3w");
    expect(login).not.toHaveProperty("older");
    expect((await stat(authJson())).mode & 0o777).toBe(0o600);
  });

  test.each([
    { what: "of another user", changes: { "--user": "user-2" } },
    { what: "of another account", changes: { "--account": "acct-2" } },
    { what: "of another authority", changes: { "--authority": "https://other.example" } },
  ])("and not one $what", async ({ changes }) => {
    await output(args(), options);
    await writeFile(authJson(), JSON.stringify({ ...(await authOf()), agent_identity: managed }));
    const before = contentOf(folder.path);
    expectError(await countersign([...args(changes), "--force"], options), "config_invalid", 2);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("by the authority that it is stored with here, whatever config.toml says", async () => {
    await output(args(), options);
    await writeFile(authJson(), JSON.stringify({ ...(await authOf()), agent_identity: managed }));
    const imported = ["identity", "import", "--codex-home", codexHome];
    await output([...imported, "--authority", "https://other.example"], options);
    await output([...args(), "--force"], options);
    expect(await authOf()).not.toHaveProperty("agent_identity");
  });
});

describe("--force never pairs a login with a destination that is not its own", () => {
  const authJson = () => join(codexHome, "auth.json");
  const other = () => [...args({ "--authority": "https://other.example" }), "--force"];
  const destinationOf = async () =>
    parse(await readFile(join(codexHome, "config.toml"), "utf8")).chatgpt_base_url;
  const tokenOf = async () =>
    JSON.parse(await readFile(authJson(), "utf8")).tokens?.access_token ?? null;

  test.each([
    { what: "auth.json", link: "a link to nothing" },
    { what: "config.toml", link: "a link" },
    { what: "env", link: "a link" },
  ])("where $what is $link, and cannot be replaced, all stays", async ({ what }) => {
    await output(args(), options);
    const file = join(codexHome, what);
    await rename(file, join(folder.path, "moved"));
    await symlink(join(folder.path, what === "auth.json" ? "nothing" : "moved"), file);
    const config = await readFile(join(codexHome, "config.toml"), "utf8");
    const before = await readFile(join(folder.path, "moved"), "utf8");
    expectError(await countersign(other(), options), "store_denied", 1);
    expect(await readFile(join(codexHome, "config.toml"), "utf8")).toBe(config);
    expect(await readFile(join(folder.path, "moved"), "utf8")).toBe(before);
    if (what !== "auth.json") expect(await tokenOf()).toBe("t0ken");
  });

  test("follows a link to auth.json", async () => {
    await output(args(), options);
    const real = join(folder.path, "real");
    await mkdir(real, { mode: 0o700 });
    await rename(authJson(), join(real, "auth.json"));
    await symlink(join(real, "auth.json"), authJson());
    await output(other(), { ...options, input: "n3w" });
    expect((await lstat(authJson())).isSymbolicLink()).toBe(true);
    expect([await destinationOf(), await tokenOf()]).toEqual([
      "https://other.example/backend-api",
      "n3w",
    ]);
  });

  test("nor where env, which comes after config.toml, cannot be written: the home has no login then", async () => {
    await output(args(), options);
    await rm(join(codexHome, "env"));
    await mkdir(join(codexHome, "env"));
    await countersign(other(), options);
    const [destination, token] = [await destinationOf(), await tokenOf()];
    expect(token === null || destination === "https://authority.example/backend-api").toBe(true);
  });
});

test("env is what codex run sets, as a shell reads it", async () => {
  codexHome = join(folder.path, "it's $HOME");
  expect(await output(args(), options)).toContain("countersign codex run --codex-home '");
  const file = join(codexHome, "env");
  const script = 'set -a; . "$1"; exec env';
  const shell = await runProcess("/bin/sh", ["-c", script, "sh", file]);
  expect(shell.stderr).toBe("");
  const set = shell.stdout.split("\n").filter((line) => line.startsWith("CODEX_"));
  expect(set.toSorted()).toEqual([
    "CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL=https://authority.example",
    "CODEX_AGENT_IDENTITY_JWKS_BASE_URL=https://authority.example/backend-api",
    `CODEX_HOME=${codexHome}`,
    "CODEX_REFRESH_TOKEN_URL_OVERRIDE=https://authority.example/backend-api/codex/token-refresh",
  ]);
});

test("writes what Codex reads, for the owner alone", async () => {
  await output(args(), options);
  for (const name of ["config.toml", "auth.json", "env"]) {
    expect((await stat(join(codexHome, name))).mode & 0o777).toBe(0o600);
  }
  expect(parse(await readFile(join(codexHome, "config.toml"), "utf8"))).toMatchObject({
    model_provider: "countersign",
    chatgpt_base_url: "https://authority.example/backend-api",
    openai_base_url: "https://gateway.example/v1",
    analytics: { enabled: false },
    features: { use_agent_identity: true, apps: false, plugins: false },
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
