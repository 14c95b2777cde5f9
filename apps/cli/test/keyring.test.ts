import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { runProcess, type TemporaryDirectory, type TestAuthority } from "@countersign/testing";
import { beforeEach, expect, test } from "vitest";
import {
  BIN,
  contentOf,
  countersign,
  environmentOf,
  expectError,
  storeLogin,
} from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

const TOOLS = ["dbus-run-session", "gnome-keyring-daemon"];
const missing = TOOLS.filter(
  (tool) =>
    !(process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, tool))),
);
if (missing.length > 0) {
  console.log(`not tested with a Secret Service: ${missing.join(" and ")} not on PATH`);
}

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;

beforeEach(async () => {
  ({ folder, home, authority } = await freshWorld());
  await mkdir(home, { mode: 0o700 });
  await writeFile(join(home, "config.toml"), 'store = "keyring"\n', { mode: 0o600 });
});

test("a keyring that cannot be used is store_denied; nothing is kept elsewhere instead", async () => {
  const before = contentOf(folder.path);
  const env = {
    COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1",
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder.path, "nowhere")}`,
  };
  const login = ["login", "--authority", authority.url, "--token-stdin"];
  for (const args of [
    login,
    ["status"],
    ["identity", "ensure"],
    ["header"],
    ["identity", "list"],
  ]) {
    const named = { ...env, COUNTERSIGN_AUTHORITY: authority.url };
    const result = await countersign(args, { home, env: named, input: "t0ken" });
    expectError(result, "store_denied", 1);
  }
  expect(contentOf(folder.path)).toEqual(before);
  expect(authority.requests).toEqual([]);
});

test.skipIf(missing.length > 0)(
  "with a Secret Service the login and the key are in the keyring and in no file, nor is a printed header",
  async () => {
    const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    // From before the store was chosen: by this file it can not be seen whose header was printed.
    await storeLogin(home, { authority: authority.url, accountId: "acct-9" });
    const file = join(home, "credentials.json");
    const before = contentOf(home);
    const countersignOf = (name: string) =>
      `"$NODE" "$BIN" ${name} >"$OUT/${name.split(" ")[0]}.json"`;
    const script = [
      "set -eu",
      "echo | gnome-keyring-daemon --unlock --components=secrets >/dev/null",
      'printf %s "$TOKEN" | "$NODE" "$BIN" login --authority "$AUTHORITY" --token-stdin',
      // The second one would find what the first one had kept.
      '"$NODE" "$BIN" header >/dev/null',
      ...["header --json", "status --json"].map(countersignOf),
      'ls "$COUNTERSIGN_HOME" >"$OUT/files"',
      countersignOf("logout --json"),
    ].join("\n");
    const out = join(folder.path, "out");
    const runtime = join(folder.path, "run");
    await mkdir(out);
    await mkdir(runtime, { mode: 0o700 });
    const env = {
      ...environmentOf({ home, env: { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1" } }),
      ...{ NODE: process.execPath, BIN, OUT: out, TOKEN: accessToken, AUTHORITY: authority.url },
      // No desktop: no user is asked for a password, and the keyring of the user who runs the tests stays as it is.
      ...{ HOME: folder.path, XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: undefined },
      ...{ DISPLAY: undefined, WAYLAND_DISPLAY: undefined },
    };
    const result = await runProcess("dbus-run-session", ["--", "sh", "-c", script], { env });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    const read = async (name: string) =>
      JSON.parse(await readFile(join(out, `${name}.json`), "utf8"));
    expect(await read("header")).toMatchObject({
      authorization: expect.stringMatching(/^AgentAssertion /),
    });
    expect(await read("status")).toMatchObject({
      store: "keyring",
      login: { account_id: "acct-1" },
      identity: { agent_runtime_id: "agent_1" },
    });
    expect(await read("logout")).toEqual({ logged_out: true });
    expect(contentOf(home)[file]).toBe(before[file]);
    expect(await readFile(join(out, "files"), "utf8")).not.toContain("header.json");
    expect(authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
  },
);
