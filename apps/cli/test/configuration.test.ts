import { chmod, chown, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProcess, startTestAuthority, type TemporaryDirectory } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import {
  contentOf,
  countersign,
  countersignAs,
  expectError,
  json,
  output,
} from "./command-line.js";
import { freshHome } from "./fresh-home.js";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
// Root needs another user for what it may do itself, and that one must be able to read this very checkout.
const hasOther =
  !isRoot || (await countersignAs(NOBODY, ["--version"], { home: "/" })).stdout !== "";
if (!hasOther)
  console.log("skipped: a home without permission (no other user can run the command)");

let folder: TemporaryDirectory;
let home: string;
let file: string;

beforeEach(async () => {
  ({ folder, home } = await freshHome());
  file = join(home, "config.toml");
  await mkdir(home, { mode: 0o700 });
});

describe("a configuration that cannot be taken is config_invalid, exit 2, and stays as it is", () => {
  test.each([
    {
      what: "broken TOML, with file and line",
      text: 'authority = "https://a.example"\norigins = [\n',
      says: "config.toml:",
    },
    {
      what: "a text where a list belongs",
      text: 'origins = "https://api.example"',
      says: "`origins` must be a list of texts",
    },
    {
      what: "an unknown policy",
      text: 'on_failure = "retry"',
      says: '`on_failure` must be "fail" or "bearer"',
    },
    {
      what: "an unknown store",
      text: 'store = "vault"',
      says: '`store` must be "file" or "keyring"',
    },
    {
      what: "a feature that is neither on nor off",
      text: '[features]\nuse_agent_identity = "true"',
      says: "use_agent_identity",
    },
    { what: "features that are no table", text: "features = 1", says: "features" },
    {
      what: "an authority that is no URL",
      text: 'authority = "authority.example"',
      says: "config.toml: `authority`: ",
    },
    {
      what: "a gateway that is no URL",
      text: 'gateway = "gateway.example"',
      says: "config.toml: `gateway`: ",
    },
    {
      what: "an origin that is no URL",
      text: 'origins = ["https://api.example", "api.example"]',
      says: "config.toml: `origins`: ",
    },
    {
      what: "an origin for the human's token that is no URL",
      text: 'bearer_origins = ["api.example"]',
      says: "config.toml: `bearer_origins`: ",
    },
    {
      what: "an authority without encryption elsewhere",
      text: 'authority = "http://authority.example"',
      says: "http",
    },
  ])("rejects $what", async ({ text, says }) => {
    await writeFile(file, text);
    const before = contentOf(folder.path);
    const result = await countersign(["identity", "show"], { home });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain(says);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("rejects a home that is named by a relative path", async () => {
    expectError(await countersign(["status"], { home: "relative" }), "config_invalid", 2);
  });

  test("says what is missing when no authority is configured", async () => {
    const result = await countersign(["login", "--token-stdin"], { home, input: "t0ken" });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("--authority");
  });
});

describe("a home that cannot be believed is store_denied, exit 1", () => {
  test("rejects a home that is a file", async () => {
    const path = join(folder.path, "file");
    await writeFile(path, "");
    expectError(await countersign(["status"], { home: path }), "store_denied", 1);
  });

  test("rejects a home that is a link", async () => {
    const path = join(folder.path, "link");
    await symlink(home, path);
    expectError(await countersign(["status"], { home: path }), "store_denied", 1);
  });

  test("rejects a home below a file", async () => {
    await writeFile(file, "");
    expectError(await countersign(["status"], { home: join(file, "home") }), "store_denied", 1);
  });

  test("rejects a configuration that is a folder", async () => {
    await mkdir(file);
    expectError(await countersign(["features", "list"], { home }), "store_denied", 1);
  });

  test("rejects a configuration that everybody may write, and sends the token nowhere (G-H3)", async () => {
    await using authority = await startTestAuthority();
    await writeFile(file, `authority = "${authority.url}"\n`);
    await chmod(file, 0o646);
    const result = await countersign(["login", "--token-stdin"], { home, input: "t0ken" });
    expectError(result, "store_denied", 1);
    expect(authority.requests).toEqual([]);
  });

  test("rejects a configuration that is a named pipe, without waiting for it", async () => {
    await runProcess("mkfifo", [file]);
    expectError(await countersign(["features", "list"], { home }), "store_denied", 1);
  });

  test.skipIf(!isRoot)(
    "rejects a configuration of another user, also behind a link, and sends the token nowhere (needs root to set up) (G-H3)",
    async () => {
      await using authority = await startTestAuthority();
      const theirs = join(folder.path, "theirs.toml");
      await writeFile(theirs, `authority = "${authority.url}"\n`);
      await chown(theirs, 12_345, 12_345);
      await symlink(theirs, file);
      const login = ["login", "--token-stdin"];
      expectError(await countersign(login, { home, input: "t0ken" }), "store_denied", 1);
      await rename(theirs, file);
      expectError(await countersign(login, { home, input: "t0ken" }), "store_denied", 1);
      expect(authority.requests).toEqual([]);
    },
  );

  test.skipIf(!hasOther)("rejects a home without permission, and sends no request", async () => {
    await using authority = await startTestAuthority();
    await writeFile(file, `authority = "${authority.url}"\n`);
    await chmod(home, 0o000);
    if (isRoot) {
      // Root may read everything, so that it is somebody else's own home that cannot be read.
      await chmod(folder.path, 0o755);
      await chown(home, NOBODY, NOBODY);
    }
    for (const args of [["status"], ["login", "--token-stdin"]]) {
      const options = { home, input: "t0ken" };
      const result = isRoot
        ? await countersignAs(NOBODY, args, options)
        : await countersign(args, options);
      expectError(result, "store_denied", 1);
    }
    expect(authority.requests).toEqual([]);
  });
});

test("warns of a key that it does not know and goes on", async () => {
  await writeFile(file, "autority = 'https://a.example'\n");
  const result = await countersign(["status"], { home });
  expect(result.code).toBe(0);
  expect(result.stderr).toContain("unknown key `autority` is ignored");
});

describe("features", () => {
  test("are off until something says otherwise", async () => {
    expect(await json(["features", "list"], { home })).toMatchObject([
      { key: "use_agent_identity", stage: "experimental", enabled: false, source: "default" },
    ]);
  });

  test("follow configuration, then environment, then switches", async () => {
    const enabled = async (args: readonly string[], env: Record<string, string> = {}) =>
      (await json(["features", "list", ...args], { home, env }))[0].enabled;
    await output(["features", "enable", "use_agent_identity"], { home });
    expect(await enabled([])).toBe(true);
    const off = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "false" };
    expect(await enabled([], off)).toBe(false);
    expect(await enabled(["--enable", "use_agent_identity"], off)).toBe(true);
    expect(
      await enabled(["--enable", "use_agent_identity", "--disable", "use_agent_identity"]),
    ).toBe(false);
  });

  test("enable and disable leave the rest of the file to the byte", async () => {
    const rest = "# mine\nauthority = 'https://a.example' # quotes stay\n\n";
    await writeFile(file, rest);
    const result = await countersign(["features", "enable", "use_agent_identity"], { home });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toBe("");
    expect(await readFile(file, "utf8")).toBe(`${rest}\n[features]\nuse_agent_identity = true\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await output(["features", "disable", "use_agent_identity"], { home });
    expect(await readFile(file, "utf8")).toBe(`${rest}\n[features]\nuse_agent_identity = false\n`);
  });

  test("make a home that is the owner's alone", async () => {
    const fresh = join(folder.path, "fresh");
    await output(["features", "enable", "use_agent_identity"], { home: fresh });
    expect((await stat(fresh)).mode & 0o777).toBe(0o700);
  });

  test("do not enable what does not exist", async () => {
    const before = contentOf(folder.path);
    expectError(await countersign(["features", "enable", "nope"], { home }), "unknown_feature", 2);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("warn when the environment overrules what was written", async () => {
    const env = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "0" };
    const result = await countersign(["features", "enable", "use_agent_identity"], { home, env });
    expect(result.stderr).toContain("COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY says otherwise");
  });

  test("no command warns of the agent identity that is on", async () => {
    await using authority = await startTestAuthority();
    await writeFile(file, "[features]\nuse_agent_identity = true\n");
    const input = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    const login = ["login", "--authority", authority.url, "--token-stdin"];
    for (const args of [
      login,
      ["identity", "ensure"],
      ["task", "ensure"],
      ["header"],
      ["status"],
    ]) {
      const result = await countersign(args, { home, input });
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(result.stderr).not.toMatch(/warning|incomplete|may change/);
    }
  });
});
