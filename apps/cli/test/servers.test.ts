import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TemporaryDirectory, TestUpstream } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { contentOf, countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

let world: ServerWorld;
let folder: TemporaryDirectory;
let home: string;
let upstream: TestUpstream;
let onDatabase: readonly string[];

beforeEach(async () => {
  world = await serverWorld();
  ({ folder, home, upstream, onDatabase } = world);
});

const TOKEN_CREATE = ["authority", "token", "create", "--account", "acct-1", "--user", "user-1"];

/** What a server's log says. */
const messages = (stderr: string) =>
  stderr
    .trimEnd()
    .split("\n")
    .map((line) => String(JSON.parse(line).msg));

describe("what cannot be served or operated is said", () => {
  test("rejects a database that is not there, and makes none", async () => {
    for (const args of [
      ["agents", "list"],
      ["tasks", "revoke", "t"],
      ["token", "list"],
    ]) {
      expectError(
        await countersign(["authority", ...args, ...onDatabase], { home }),
        "config_invalid",
        2,
      );
    }
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects a password in an argument, without repeating it (G-A44)", async () => {
    const option = ["--database", "postgres://u:s3cr3t@db.example/x"];
    for (const args of [
      ["serve", "--listen", "127.0.0.1:0"],
      ["token", "list"],
      ["backup", join(folder.path, "backup.db")],
    ]) {
      const result = await countersign(["authority", ...args, ...option], { home });
      expectError(result, "usage", 2);
      expect(result.stderr).not.toContain("s3cr3t");
    }
  });

  test("rejects a misspelt variable of the authority, and makes no database (G-A46)", async () => {
    const args = ["authority", "serve", "--listen", "127.0.0.1:0"];
    const env = { COUNTERSIGN_AUTHORITY_MAX_LIVE_AGENT: "5" };
    const result = await countersign(args, { home, env });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("did you mean COUNTERSIGN_AUTHORITY_MAX_LIVE_AGENTS?");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects an empty file where an authority's database should be, and leaves it empty", async () => {
    await writeFile(join(folder.path, "authority.db"), "");
    const before = contentOf(folder.path);
    const result = await countersign(["authority", "token", "list", ...onDatabase], { home });
    expectError(result, "config_invalid", 2);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("rejects a file that is no database", async () => {
    await writeFile(join(folder.path, "authority.db"), "hello ".repeat(1000));
    expectError(
      await countersign(["authority", "agents", "list", ...onDatabase], { home }),
      "store_corrupt",
      1,
    );
  });

  test.each([
    { what: "an unknown key", text: "agent_tll = '1h'" },
    { what: "a generation that is not known", text: "generations = ['D']" },
    { what: "a duration that is not valid", text: "agent_ttl = 'long'" },
    { what: "a life of a task that is no time", text: "task_ttl = '0s'" },
    { what: "an unknown policy", text: "registration_proof = 'off'" },
    { what: "an unknown policy of task ids", text: "plain_task_ids = 'require'" },
    { what: "broken TOML", text: "public_url = " },
  ])("rejects an authority's configuration with $what", async ({ text }) => {
    const file = join(folder.path, "authority.toml");
    await writeFile(file, text);
    const args = ["authority", "serve", "--listen", "127.0.0.1:0", "--config", file, ...onDatabase];
    const result = await countersign(args, { home });
    expect(result.stderr).toContain(file);
    expect(result.code).toBe(2);
  });

  test("rejects an address that is taken", async () => {
    const { url } = await world.serve();
    const args = ["authority", "serve", "--listen", new URL(url).host];
    const before = contentOf(folder.path);
    // On the database in the home, which does not exist: it is not made for nothing.
    const result = await countersign(args, { home });
    expectError(result, "address_in_use", 1);
    expect(result.stderr).toContain(new URL(url).host);
    expect(Object.keys(contentOf(folder.path))).toEqual(Object.keys(before));
  });

  test("rejects an address of another machine and makes no database", async () => {
    const args = ["authority", "serve", "--listen", "192.0.2.1:0"];
    const result = await countersign(args, { home });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("192.0.2.1:0");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects a role and an id that do not exist", async () => {
    await world.createToken();
    for (const group of ["agents", "tasks"]) {
      const result = await countersign(["authority", group, "show", "none", ...onDatabase], {
        home,
      });
      expectError(result, group === "agents" ? "unknown_agent" : "unknown_task", 1);
    }
    const args = ["authority", "token", "create", "--account", "a b", "--user", "u", ...onDatabase];
    expectError(await countersign(args, { home }), "usage", 2);
  });

  test("rejects a gateway that other machines can reach without the accounts that it serves (G-G10)", async () => {
    const args = ["gateway", "--listen", "0.0.0.0:0", "--upstream", upstream.url];
    const result = await countersign([...args, "--authority", "http://127.0.0.1:1"], { home });
    expectError(result, "usage", 2);
    expect(result.stderr).toContain("--account");
    expect(result.stdout).toBe("");
  });

  test("rejects an audit file that cannot be opened", async () => {
    const args = [
      "gateway",
      "--listen",
      "127.0.0.1:0",
      "--upstream",
      upstream.url,
      "--authority",
      "http://127.0.0.1:1",
    ];
    await mkdir(join(folder.path, "audit"));
    const result = await countersign([...args, "--audit", join(folder.path, "audit")], { home });
    expectError(result, "config_invalid", 2);
    expectError(await countersign([...args, "--audit", ""], { home }), "usage", 2);
    for (const option of ["--response-timeout", "--idle-timeout"]) {
      expectError(await countersign([...args, option, "0s"], { home }), "usage", 2);
    }
  });
});

describe("authority", () => {
  test("prints a token alone and keeps it only as a hash", async () => {
    const token = await output([...TOKEN_CREATE, ...onDatabase], { home });
    expect(token).toMatch(/^cs_human_[\w-]+\n$/);
    const file = join(folder.path, "authority.db");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file)).includes(token.trim())).toBe(false);
    const [listed] = await json(["authority", "token", "list", ...onDatabase], { home });
    expect(listed).toMatchObject({
      role: "human",
      account_id: "acct-1",
      user_id: "user-1",
      state: "active",
    });
    expect(JSON.stringify(listed)).not.toContain(token.trim());
  });

  test("a token that was revoked while the authority runs is refused", async () => {
    const { url } = await world.serve();
    const { id, token } = await json([...TOKEN_CREATE, ...onDatabase], { home });
    const login = ["login", "--authority", url, "--token-stdin"];
    await output(login, { home, input: token });
    await output(["authority", "token", "revoke", id, ...onDatabase], { home });
    expectError(await countersign(login, { home, input: token }), "unauthenticated", 4);
  });

  test("uses a database in the home unless told otherwise, and ends with 0 when asked to", async () => {
    const { process } = await world.start(["authority", "serve", "--listen", "127.0.0.1:0"]);
    process.kill("SIGTERM");
    const { code, stderr } = await process.exited;
    expect(code).toBe(0);
    expect(messages(stderr)).toEqual([
      "the authority serves",
      "ending what is open; ask once more to end at once",
      "ended",
    ]);
    expect((await stat(join(home, "authority.db"))).isFile()).toBe(true);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  });

  test("warns, once, when a proxy stands before it and its public URL is not set", async () => {
    const through = { headers: { "X-Forwarded-For": "192.0.2.7", Forwarded: "for=192.0.2.7" } };
    const { process, url } = await world.serve();
    for (const init of [{}, through, through]) await fetch(`${url}/v1/whoami`, init);
    process.kill("SIGTERM");
    const warnings = messages((await process.exited).stderr).filter((it) => /proxy/.test(it));
    expect(warnings).toEqual([expect.stringContaining("public_url is not set")]);
    const named = await world.serve(["--public-url", "https://authority.example"]);
    await fetch(`${named.url}/v1/whoami`, through);
    named.process.kill("SIGTERM");
    expect(messages((await named.process.exited).stderr)).not.toContainEqual(
      expect.stringContaining("proxy"),
    );
  });

  test("serves only the generations that its configuration names", async () => {
    const file = join(folder.path, "authority.toml");
    await writeFile(file, 'generations = ["A"]\n');
    const { url } = await world.serve(["--config", file]);
    const token = await world.createToken();
    const login = ["login", "--authority", url, "--token-stdin"];
    await output(login, { home, input: token });
    expect((await countersign(["identity", "ensure"], { home, env: FEATURE_ON })).code).toBe(4);
    await output([...login, "--proof", "biscuit"], { home, input: token });
    await output(["identity", "ensure"], { home, env: FEATURE_ON });
  });
});
