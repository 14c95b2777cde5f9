import { temporaryDirectory } from "@countersign/testing";
import { afterAll, describe, expect, test } from "vitest";
import { contentOf, countersign, expectError, json, output } from "./command-line.js";

const folder = await temporaryDirectory();
const options = { home: `${folder.path}/home` };
afterAll(() => folder.remove());

describe("wrong usage is one error with exit 2 and changes nothing", () => {
  test.each([
    { what: "an unknown command", args: ["nope"] },
    { what: "an unknown option", args: ["status", "--bogus"] },
    { what: "a missing required option", args: ["authority", "token", "create"] },
    { what: "a value that is not among the choices", args: ["login", "--proof", "oath"] },
    { what: "a surplus operand", args: ["status", "extra"] },
    { what: "no command", args: [] },
    { what: "a group without a command", args: ["authority"] },
    { what: "an account without a user", args: ["login", "--account", "acct-1"] },
    { what: "an account that cannot be one", args: ["login", "--account", "a b", "--user", "u"] },
    {
      what: "a secret in place of where it is",
      args: [
        "gateway",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "http://127.0.0.1:1",
        "--authority",
        "http://127.0.0.1:1",
        "--upstream-header",
        "Authorization: Bearer s3cr3t",
      ],
    },
    { what: "an address without a port", args: ["authority", "serve", "--listen", "127.0.0.1"] },
    {
      what: "a duration without a unit",
      args: ["authority", "token", "create", "--account", "a", "--user", "u", "--ttl", "24"],
    },
    {
      what: "a gateway for others that is told no account",
      args: [
        "gateway",
        "--listen",
        "0.0.0.0:0",
        "--upstream",
        "http://127.0.0.1:1",
        "--authority",
        "http://127.0.0.1:1",
      ],
    },
    {
      what: "two places to ask",
      args: ["verify", "x", "--authority", "http://127.0.0.1:1", "--keys", "keys.json"],
    },
    {
      what: "a time that is not valid",
      args: ["verify", "x", "--keys", "keys.json", "--now", "yesterday"],
    },
    { what: "a URL without a scheme", args: ["request", "api.example"] },
    {
      what: "a method that is not sent",
      args: ["request", "TRACE", "http://127.0.0.1:1/", "--origin", "http://127.0.0.1:1"],
    },
    { what: "an unknown shell", args: ["completion", "tcsh"] },
  ])("rejects $what", async ({ args }) => {
    const result = await countersign(args, options);
    expectError(result, "usage", 2);
    expect(result.stdout).toBe("");
    expect(result.stderr).not.toContain("s3cr3t");
    expect(contentOf(folder.path)).toEqual({});
  });

  test.each([
    { args: ["status", "--enable", "use_agent_identitx"] },
    // It needs no feature, and does not pass over the name for that.
    { args: ["completion", "bash", "--disable", "use_agent_identitx"] },
  ])("rejects an unknown feature with the nearest name: $args", async ({ args }) => {
    const result = await countersign(args, options);
    expectError(result, "unknown_feature", 2);
    expect(result.stderr).toContain("use_agent_identity?");
    expect(result.stdout).toBe("");
  });

  test("suggests the command that was meant", async () => {
    const result = await countersign(["featrues"], options);
    expect(result.stderr).toContain("Did you mean features?");
  });
});

test("an error with --json is one document on stdout too", async () => {
  const result = await countersign(["status", "--bogus", "--json"], options);
  expectError(result, "usage", 2);
  expect(JSON.parse(result.stdout)).toMatchObject({
    error: { code: "usage", retryable: false, hint: expect.any(String) },
  });
});

test("--version prints the version alone", async () => {
  const alone = { ...options, ownProcess: true };
  expect(await output(["--version"], alone)).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("--version and --help with --json are one document each", async () => {
  const version = (await output(["--version"], options)).trimEnd();
  expect(await json(["--version"], options)).toEqual({ version });
  const help = (await output(["--help"], options)).trimEnd();
  for (const asked of ["--help", "help"]) expect(await json([asked], options)).toEqual({ help });
});

test("a Node that is too old is one error with exit 2, whatever is asked for", async () => {
  const pretend =
    'Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})';
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` };
  for (const args of [["--version"], ["header"], ["authority", "serve"], []]) {
    const result = await countersign(args, { ...options, env });
    expectError(result, "config_invalid", 2);
    expect(result.stdout).toBe("");
  }
});

test("--help ends with 0 and names the exit codes", async () => {
  expect(await output(["--help"], options)).toContain("Exit codes: 0 done");
  expect(await output(["authority", "token", "create", "--help"], options)).toContain("--role");
});

test.each(["bash", "zsh", "fish"])("prints a completion script for %s", async (shell) => {
  const script = await output(["completion", shell], options);
  for (const path of ["authority token create", "proxy token", "doctor"]) {
    expect(script).toContain(`"${path}"`);
  }
  expect(await json(["completion", shell], options)).toEqual({ shell, script: script.trimEnd() });
});

test("what was written is repeated with control and bidirectional characters escaped", async () => {
  const result = await countersign(["\u001b[2J\u202enope\nerror: forged (internal)"], options);
  expectError(result, "usage", 2);
  expect(result.stderr).not.toContain("\u001b");
  expect(result.stderr).not.toContain("\u202e");
});

test("nothing of a colour is printed to a pipe", async () => {
  const alone = { ...options, ownProcess: true };
  expect((await countersign(["nope"], alone)).stderr).not.toContain("\u001b");
});
