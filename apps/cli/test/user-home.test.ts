import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { startTestAuthority, type TestAuthority } from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { HEADER_FILE, stateOf, threadFileOf, withDecision } from "../src/header/header-decision.js";
import { readVersion } from "../src/version.js";
import {
  contentOf,
  countersign,
  countersignAs,
  expectError,
  output,
  storeIdentity,
  storeLogin,
} from "./command-line.js";
import { freshHome } from "./fresh-home.js";

// A user that the system does not know.
const STRANGER = 54_321;
const isRoot = process.getuid?.() === 0;
const hasStranger =
  isRoot && (await countersignAs(STRANGER, ["--version"], { home: "/" })).stdout !== "";
if (!hasStranger) {
  const why = isRoot ? "another user cannot read this checkout" : "only root can run one";
  console.log(`skipped: a user that the system does not know (${why})`);
}

const COMMANDS: readonly (readonly string[])[] = [
  ["status"],
  ["header"],
  ["login", "--token-stdin"],
  ["identity", "ensure"],
  ["features", "enable", "use_agent_identity"],
  ["proxy", "token"],
  ["authority", "token", "create", "--account", "acct-1", "--user", "user-1"],
];

let checkout: string;
let authority: TestAuthority;

// A cloned repository that brings a whole home, with a login, an authority and a header that needs no more than signing.
beforeEach(async () => {
  authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const { folder } = await freshHome();
  checkout = folder.path;
  for (const folders of ["", "rel/dir"]) {
    const home = join(checkout, folders, ".countersign");
    await mkdir(join(home, "threads"), { recursive: true, mode: 0o700 });
    await storeLogin(home, { authority: authority.url });
    const agent = await storeIdentity(home, { authority: authority.url });
    await writeFile(join(home, "config.toml"), `authority = "${authority.url}"\n`);
    await writeFile(threadFileOf(home, "cli"), "{}", { mode: 0o600 });
    const context = { home, scope: "cli", environment: {}, version: readVersion() };
    const state = stateOf(context);
    if (state === undefined) throw new Error("the home of the checkout would not be believed");
    const decision = {
      authority: authority.url,
      agent_runtime_id: agent.agent_runtime_id,
      task_id: "task_1",
      public_key: agent.agent_public_key,
    };
    await writeFile(join(home, HEADER_FILE), withDecision(home, state, decision), { mode: 0o600 });
    // It works where it is named on purpose.
    expect(await output(["header"], { home })).toContain("AgentAssertion ");
  }
  // So that other users may enter and could write it.
  await chmod(checkout, 0o777);
});

describe("the working directory is never the home: config_invalid, exit 2, nothing read and nothing written (G-H3)", () => {
  test.each([
    { HOME: "" },
    { HOME: "." },
    { HOME: "rel/dir" },
    { HOME: ".", COUNTERSIGN_HOME: "" },
    { HOME: "rel/dir", COUNTERSIGN_HOME: "~/.countersign" },
    { HOME: "/", COUNTERSIGN_HOME: ".countersign" },
  ])("with %o", async (variables) => {
    const env = { COUNTERSIGN_HOME: undefined, ...variables };
    const before = contentOf(checkout);
    for (const args of COMMANDS) {
      const options = { home: "", env, cwd: checkout, input: "t0ken" };
      const result = await countersign(args, options);
      expectError(result, "config_invalid", 2);
      expect(result.stdout).toBe("");
      const variable = variables.HOME === "/" ? "COUNTERSIGN_HOME" : "HOME";
      expect(result.stderr).toContain(`error: ${variable} must be an absolute path`);
      // Each is a way out; neither is a function of the library.
      if (!variables.COUNTERSIGN_HOME)
        expect(result.stderr).toContain("hint: set it, or COUNTERSIGN_HOME,");
      expect(result.stderr).not.toContain("path.resolve");
    }
    expect(contentOf(checkout)).toEqual(before);
    expect(authority.requests).toEqual([]);
  });

  test.skipIf(!hasStranger)(
    "for a user that the system does not know, without HOME (needs root to set up) (G-H3)",
    async () => {
      const env = { COUNTERSIGN_HOME: undefined, HOME: undefined };
      const before = contentOf(checkout);
      for (const args of COMMANDS) {
        const options = { home: "", env, cwd: checkout, input: "t0ken" };
        const result = await countersignAs(STRANGER, args, options);
        expectError(result, "config_invalid", 2);
        expect(result.stderr).toContain("error: HOME is not set");
        expect(result.stdout).toBe("");
      }
      expect(contentOf(checkout)).toEqual(before);
      expect(authority.requests).toEqual([]);
    },
  );
});

test.skipIf(!hasStranger)(
  "a user that the system does not know works with COUNTERSIGN_HOME alone (needs root to set up)",
  async () => {
    const env = { HOME: undefined };
    const options = { home: join(checkout, "own"), env, cwd: checkout };
    const result = await countersignAs(STRANGER, ["proxy", "token"], options);
    expect(result, result.stderr).toMatchObject({ code: 0 });
  },
);

test("an empty --codex-home is wrong usage, and not the working directory", async () => {
  const options = { home: join(checkout, "own"), cwd: checkout, input: "t0ken" };
  const named = ["--authority", authority.url];
  const before = contentOf(checkout);
  for (const args of [
    [
      "codex",
      "export",
      "--account",
      "a",
      "--user",
      "u",
      "--token-stdin",
      "--gateway",
      "http://127.0.0.1:1",
    ],
    ["identity", "import"],
    ["identity", "export"],
  ]) {
    const result = await countersign([...args, ...named, "--codex-home", ""], options);
    expectError(result, "usage", 2);
    expect(result.stderr).toContain("--codex-home is empty");
  }
  expect(contentOf(checkout)).toEqual(before);
});

test("the demo keeps nothing in the working directory", async () => {
  const before = contentOf(checkout);
  const options = { home: join(checkout, "own"), env: { TMPDIR: "rel/dir" }, cwd: checkout };
  const result = await countersign(["demo"], options);
  expectError(result, "config_invalid", 2);
  expect(result.stderr).toContain("TMPDIR");
  expect(contentOf(checkout)).toEqual(before);
});

test.each(["", ".", undefined])(
  "no database password comes from the working directory with HOME %j (G-H3)",
  async (HOME) => {
    await writeFile(join(checkout, ".pgpass"), "*:*:*:*:of-the-checkout\n", { mode: 0o600 });
    const received: Buffer[] = [];
    // Asks for the password in clear text, as PostgreSQL does it, and hangs up with the answer.
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        socket.once("data", (answer) => {
          received.push(answer);
          socket.end();
        });
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const database = `postgres://user@127.0.0.1:${(server.address() as AddressInfo).port}/registry`;
    const options = { home: join(checkout, "own"), env: { HOME }, cwd: checkout };
    const args = ["authority", "token", "list", "--database", database];
    expect((await countersign(args, options)).code).not.toBe(0);
    expect(received).not.toHaveLength(0);
    expect(Buffer.concat(received).toString("latin1")).not.toContain("of-the-checkout");
  },
);
