import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { startProcess } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { SECRET_VARIABLES } from "../src/process/secret-variables.js";
import {
  BIN,
  type CommandOptions,
  contentOf,
  countersign,
  environmentOf,
  expectError,
  output,
  startCountersign,
  storeIdentity,
  storeLogin,
} from "./command-line.js";
import { type FakeCodex, writeFakeCodex } from "./fake-codex.js";
import { freshHome } from "./fresh-home.js";

const AUTHORITY = "http://127.0.0.1:9";
const AGENT = {
  agent_runtime_id: "agent_1",
  agent_private_key: AgentKey.generate().exportPkcs8(),
  chatgpt_user_id: "user-1",
};
const AGENTS = {
  A: { ...AGENT, workspace_id: "acct-1", registered_at: "2026-03-23T12:00:00Z" },
  B: `e30.${Buffer.from('{"account_id":"a","chatgpt_user_id":"u"}').toString("base64url")}.c2ln`,
  C: { ...AGENT, account_id: "acct-1" },
} as const;

const ID = Buffer.from('{"https://api.openai.com/auth":{"chatgpt_user_id":"user-1"}}');
const HUMAN = {
  id_token: `e30.${ID.toString("base64url")}.x`,
  access_token: "t0ken",
  account_id: "acct-1",
};

let folder: string;
let home: string;
let codexHome: string;

beforeEach(async () => {
  const fresh = await freshHome();
  folder = fresh.folder.path;
  home = fresh.home;
  codexHome = join(folder, "codex home");
  await mkdir(codexHome, { mode: 0o700 });
  await configure(`chatgpt_base_url = "${AUTHORITY}/backend-api"`);
});

const configure = (text: string) => writeFile(join(codexHome, "config.toml"), text);
const setAuth = (auth: object) =>
  writeFile(join(codexHome, "auth.json"), JSON.stringify(auth), { mode: 0o600 });
const run = (...args: string[]) => ["codex", "run", "--codex-home", codexHome, ...args];
const with171 = async (): Promise<CommandOptions> =>
  withFake(await writeFakeCodex(folder, "0.171.0"));
const withFake = ({ PATH }: FakeCodex): CommandOptions => ({ home, env: { PATH } });

describe("codex run does not start", () => {
  test("without a codex in PATH", async () => {
    const result = await countersign(run("--", "show"), { home, env: { PATH: folder } });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("there is no codex in PATH");
    // What stands behind `--` says nothing about how this command reports.
    const asked = await countersign(run("--", "exec", "--json"), { home, env: { PATH: folder } });
    expect(asked.stdout).toBe("");
    expect(result.stderr).toContain("--codex PATH");
  });

  test("a program that --codex names and that is not there, or not executable", async () => {
    const { path } = await writeFakeCodex(folder, "0.171.0");
    const missing = await countersign(run("--codex", join(folder, "none"), "--", "show"), { home });
    expectError(missing, "config_invalid", 2);
    expect(missing.stderr).toContain("does not exist");
    await chmod(path, 0o600);
    for (const more of [[], ["--generation", "C"]]) {
      const denied = await countersign(run("--codex", path, ...more, "--", "show"), { home });
      expectError(denied, "config_invalid", 2);
      expect(denied.stderr).toContain("permission denied");
    }
  });

  test.each([
    { what: "0.121", version: "0.121.9", said: "older than 0.122" },
    { what: "no version", version: "unknown", said: "prints no version" },
  ])("a Codex of $what, and --generation decides in its place", async ({ version, said }) => {
    const fake = withFake(await writeFakeCodex(folder, version));
    const result = await countersign(run("--", "show"), fake);
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain(said);
    expect(result.stderr).toContain("--generation A|B|C");
    const shown = JSON.parse(await output(run("--generation", "C", "--", "show"), fake));
    expect(shown.env).toHaveProperty("CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL");
  });

  test.each([
    { what: "no config.toml", text: undefined, code: "config_invalid" },
    { what: "a config.toml that is not TOML", text: "a = ", code: "config_invalid" },
    { what: "a config.toml that names no authority", text: "", code: "config_invalid" },
    { what: "an authority that is no URL", text: 'chatgpt_base_url = "x"', code: "config_invalid" },
    {
      what: "an authority in plain http on another machine",
      text: 'chatgpt_base_url = "http://authority.example/backend-api"',
      code: "config_invalid",
    },
  ])("in a home with $what", async ({ text, code }) => {
    const codex = await with171();
    codexHome = join(folder, "another");
    await mkdir(codexHome);
    if (text !== undefined) await configure(text);
    const result = await countersign(run("--", "show"), codex);
    expectError(result, code, 2);
    expect(result.stderr).toContain("config.toml");
  });

  test.each([
    { version: "0.122.0", generation: "B" },
    { version: "0.123.0", generation: "C" },
    { version: "0.124.0", generation: "A" },
    { version: "0.149.2", generation: "C" },
    { version: "0.150.0", generation: "A" },
    { version: "1.0.0", generation: "A" },
  ] as const)(
    "$version where auth.json holds an agent of generation $generation, and shows no secret",
    async ({ version, generation }) => {
      await setAuth({ agent_identity: AGENTS[generation] });
      const before = contentOf(codexHome);
      const fake = withFake(await writeFakeCodex(folder, version));
      const result = await countersign(run("--", "show"), fake);
      expectError(result, "config_invalid", 2);
      expect(result.stderr).toContain("which this Codex cannot read");
      expect(result.stderr).not.toContain(AGENT.agent_private_key);
      expect(result.stderr).not.toContain(AGENTS.B);
      expect(contentOf(codexHome)).toEqual(before);
    },
  );

  test("where the agent has the form of another Codex, and the commands of the hint convert it", async () => {
    await setAuth({
      tokens: HUMAN,
      agent_identity: { ...AGENTS.A, chatgpt_user_id: "user-1" },
    });
    const codex = await with171();
    const refused = await countersign(run("--", "show"), codex);
    const [, hint = ""] = /; or convert the agent for this one: (.*)$/m.exec(refused.stderr) ?? [];
    for (const line of hint.split(", then ")) {
      const args = line.replaceAll("'", "").replace(codexHome, "HOME").split(" ").slice(1);
      await output(
        args.map((arg) => (arg === "HOME" ? codexHome : arg)),
        codex,
      );
    }
    expect(JSON.parse(await output(run("--", "show"), codex)).env).toHaveProperty("CODEX_HOME");
  });

  test("0.132 for a human's login, since it has no flag, unless it is given an identity JWT", async () => {
    const id = Buffer.from('{"https://api.openai.com/auth":{"chatgpt_user_id":"user-1"}}').toString(
      "base64url",
    );
    await setAuth({
      tokens: { id_token: `e30.${id}.x`, access_token: "t0ken", account_id: "acct-1" },
    });
    const fake = withFake(await writeFakeCodex(folder, "0.132.0"));
    const result = await countersign(run("--", "show"), fake);
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("CODEX_ACCESS_TOKEN");
    const env = { ...fake.env, CODEX_ACCESS_TOKEN: "jwt" };
    await output(run("--", "show"), { home, env });
  });
});

describe("codex run starts Codex", () => {
  test.each([
    { version: "0.122.0", generation: "A", names: ["CODEX_REFRESH_TOKEN_URL_OVERRIDE"] },
    { version: "0.124.0", generation: "B", names: ["CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL"] },
    { version: "0.149.0", generation: "B", names: ["CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL"] },
    { version: "0.150.0-alpha.1", generation: "C", names: undefined },
    { version: "0.171.0", generation: "B", names: undefined },
    { version: "2.3.4", generation: "C", names: undefined },
  ] as const)(
    "$version with the variables that it needs (agent of generation $generation)",
    async ({ version, generation, names }) => {
      await setAuth({ agent_identity: AGENTS[generation] });
      const fake = withFake(await writeFakeCodex(folder, version));
      const { env } = JSON.parse(await output(run("--", "show"), fake));
      const all = {
        CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL: AUTHORITY,
        CODEX_AGENT_IDENTITY_JWKS_BASE_URL: `${AUTHORITY}/backend-api`,
        CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${AUTHORITY}/backend-api/codex/token-refresh`,
      };
      const wanted = Object.entries(all).filter(([name]) =>
        (names ?? Object.keys(all)).some((wantedName) => wantedName === name),
      );
      expect(env).toEqual({ ...Object.fromEntries(wanted), CODEX_HOME: codexHome });
    },
  );

  test("with chatgpt_base_url exactly as config.toml has it", async () => {
    await configure(`chatgpt_base_url = "${AUTHORITY}/backend-api//"`);
    const { env } = JSON.parse(await output(run("--", "show"), await with171()));
    expect(env).toMatchObject({
      CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL: AUTHORITY,
      CODEX_AGENT_IDENTITY_JWKS_BASE_URL: `${AUTHORITY}/backend-api//`,
    });
  });

  test("with every argument as it is, also those that are options here", async () => {
    const given = ["--json", "--codex-home", "x", "--", "$(id)", "a b", "'", ""];
    const shown = await output(run("--", "show", ...given), await with171());
    expect(JSON.parse(shown).args).toEqual(given);
  });

  test("with its stdin, stdout and exit code", async () => {
    const codex = await with171();
    expect(await output(run("--", "copy"), { ...codex, input: "words" })).toBe("words");
    const ended = await countersign(run("--", "exit", "42"), codex);
    expect(ended).toMatchObject({ code: 42, stdout: "", stderr: "" });
  });

  test("and ends with 128 + n where signal n ended it", async () => {
    const ended = await countersign(run("--", "die", "SIGKILL"), await with171());
    expect(ended).toMatchObject({ code: 137, stderr: "" });
  });

  test("and passes every signal on, and ends when it ends", async () => {
    await using started = await startCountersign(run("--", "wait", "SIGTERM"), await with171());
    await started.waitForLine(/^ready$/m);
    for (const name of ["SIGINT", "SIGHUP"] as const) {
      started.kill(name);
      await started.waitForLine(new RegExp(`^got ${name}$`, "m"));
    }
    started.kill("SIGTERM");
    expect(await started.exited).toMatchObject({ code: 9, stderr: "" });
  });

  test.runIf(process.platform === "linux")(
    "and passes on what kill sends on a terminal, which sends Ctrl-C by itself, once",
    async () => {
      const words = [process.execPath, BIN, ...run("--", "wait", "SIGTERM")];
      const line = `exec ${words.map((word) => `'${word}'`).join(" ")}`;
      await using started = await startProcess("script", ["-qec", line, "/dev/null"], {
        env: environmentOf(await with171()),
      });
      await started.waitForLine(/^ready\r?$/m);
      const [, parent] = await started.waitForLine(/^parent (\d+)/);
      started.write("\u0003");
      await started.waitForLine(/got SIGINT/);
      process.kill(Number(parent), "SIGHUP");
      await started.waitForLine(/got SIGHUP/);
      process.kill(Number(parent), "SIGTERM");
      const { code, stdout } = await started.exited;
      expect(code).toBe(9);
      expect(stdout.match(/got SIGINT/g)).toHaveLength(1);
    },
  );

  test("without a shell", async () => {
    const { path } = await writeFakeCodex(folder, "0.171.0");
    const odd = join(folder, "a; exit 3 #");
    await writeFile(odd, `#!/bin/sh\nexec '${path}' "$@"\n`);
    await chmod(odd, 0o755);
    expect(JSON.parse(await output(run("--codex", odd, "--", "show", "x"), { home })).args).toEqual(
      ["x"],
    );
  });
});

describe("no child process gets a secret of ours", () => {
  const secrets = Object.fromEntries(SECRET_VARIABLES.map((name) => [name, "s3cret"]));
  const given = {
    ...secrets,
    COUNTERSIGN_DATABASE_URL: "env:MY_DATABASE",
    MY_DATABASE: "s3cret",
    CODEX_ACCESS_TOKEN: "its own",
  };

  test("Codex, and the one that is asked for its version (G-A45)", async () => {
    const codex = await with171();
    const shown = join(folder, "shown");
    const env = { ...codex.env, ...given, FAKE_CODEX_SHOWS: shown };
    const started = await output(run("--", "environment"), { home, env });
    for (const text of [started, await readFile(shown, "utf8")]) {
      expect(text).not.toContain("s3cret");
      expect(Object.keys(JSON.parse(text))).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(PGPASSWORD|MY_DATABASE)$/)]),
      );
      expect(JSON.parse(text)).toMatchObject({ CODEX_ACCESS_TOKEN: "its own" });
    }
  });

  test("the Codex that identity export asks for its version", async () => {
    await storeLogin(home, { authority: AUTHORITY });
    await storeIdentity(home, { authority: AUTHORITY });
    await setAuth({ tokens: HUMAN });
    const codex = await with171();
    const shown = join(folder, "shown");
    const env = { ...codex.env, ...given, FAKE_CODEX_SHOWS: shown };
    await output(["identity", "export", "--codex-home", codexHome], { home, env });
    expect(await readFile(shown, "utf8")).not.toContain("s3cret");
  });
});

describe("a signal that comes before Codex has started ends the command, and Codex never starts", () => {
  test.each([
    { command: () => run("--", "show"), name: "codex run", signal: "SIGTERM" },
    { command: () => run("--", "show"), name: "codex run", signal: "SIGINT" },
    {
      command: () => ["identity", "export", "--codex-home", codexHome],
      name: "identity export",
      signal: "SIGTERM",
    },
  ] as const)("$name, by $signal while it asks for the version", async ({ command, signal }) => {
    await storeLogin(home, { authority: AUTHORITY });
    await setAuth({ tokens: HUMAN });
    const codex = await with171();
    const file = join(folder, "hangs");
    const env = { ...codex.env, FAKE_CODEX_HANGS: file };
    await using started = await startCountersign(command(), { home, env });
    await expect.poll(() => existsSync(file)).toBe(true);
    started.kill(signal);
    const ended = await started.exited;
    expectError(ended, "cancelled", 1);

    expect(ended.stdout).toBe("");
  });
});
