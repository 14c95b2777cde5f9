import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Fault,
  startTestAuthority,
  type TemporaryDirectory,
  type TestAuthority,
} from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { contentOf, countersign, expectError, json, output, storeLogin } from "./command-line.js";
import { FEATURE_ON, freshWorld } from "./fresh-home.js";

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;
let token: string;

beforeEach(async () => {
  ({ folder, home, authority } = await freshWorld());
  token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
});

const login = (args: readonly string[] = []) => [
  "login",
  "--authority",
  authority.url,
  "--token-stdin",
  ...args,
];

describe("login --ephemeral", () => {
  const lastBody = () => JSON.parse(authority.requests.at(-1)?.body ?? "");

  test("rejects a life that is no duration or too long, and an identity JWT", async () => {
    for (const life of ["soon", "0s", "8d"]) {
      const result = await countersign(login(["--ephemeral", life]), { home, input: token });
      expectError(result, "usage", 2);
    }
    const args = ["login", "--authority", authority.url, "--identity-jwt-stdin", "--ephemeral"];
    expectError(await countersign(args, { home, input: token }), "usage", 2);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("asks for an ephemeral agent of an hour, or of the time that is given", async () => {
    const logIn = (args: readonly string[]) => json(login(args), { home, input: token });
    expect(await logIn(["--ephemeral"])).toMatchObject({ ephemeral_seconds: 3_600 });
    const env = FEATURE_ON;
    await output(["identity", "ensure"], { home, env });
    expect(lastBody()).toMatchObject({ ephemeral: true, ttl: 3_600 });
    await output(["identity", "forget", "--force"], { home, env });
    expect(await logIn(["--ephemeral", "2h"])).toMatchObject({ ephemeral_seconds: 7_200 });
    await output(["identity", "ensure"], { home, env });
    expect(lastBody()).toMatchObject({ ephemeral: true, ttl: 7_200 });
    await output(["identity", "forget", "--force"], { home, env });
    expect(await logIn([])).not.toHaveProperty("ephemeral_seconds");
    await output(["identity", "ensure"], { home, env });
    expect(lastBody()).not.toHaveProperty("ephemeral");
  });

  test("warns of a lasting agent of the same human, which stays in use", async () => {
    await json(login(), { home, input: token });
    const { agent_runtime_id } = await json(["identity", "ensure"], { home, env: FEATURE_ON });
    const result = await countersign(login(["--ephemeral"]), { home, input: token });
    expect(result.code).toBe(0);
    expect(result.stderr).toContain(`a lasting agent of user-1, ${agent_runtime_id}`);
  });
});

describe("a login that cannot be made leaves no home behind", () => {
  test("rejects a missing token", async () => {
    const result = await countersign(["login", "--authority", authority.url], { home });
    expectError(result, "usage", 2);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects an empty token and one that no header can carry", async () => {
    for (const input of ["", "\n", "two\nlines", "naïve"]) {
      expectError(await countersign(login(), { home, input }), "usage", 2);
    }
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects stdin of more than 64 KiB, and says so", async () => {
    const result = await countersign(login(), { home, input: "t".repeat(65_537) });
    expectError(result, "usage", 2);
    expect(result.stderr).toContain("stdin holds more than 65536 bytes");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects a token that the authority does not know", async () => {
    const result = await countersign(login(), { home, input: "unknown-t0ken" });
    expectError(result, "unauthenticated", 4);
    expect(result.stderr + result.stdout).not.toContain("unknown-t0ken");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects an authority that cannot be reached, as a temporary error", async () => {
    await authority.close();
    expectError(await countersign(login(), { home, input: token }), "unreachable", 5);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects an authority that answers something else", async () => {
    authority.fault("whoami", { kind: "answer", body: "<html>", contentType: "text/html" }, 9);
    expectError(await countersign(login(), { home, input: token }), "bad_response", 1);
    expect(contentOf(folder.path)).toEqual({});
  });

  test.each<{ what: string; code: string; exitCode: number; fault: Fault }>([
    {
      what: "JSON of another kind",
      code: "bad_response",
      exitCode: 1,
      fault: { kind: "answer", body: {} },
    },
    {
      what: "a page that is not there",
      code: "invalid_request",
      exitCode: 4,
      fault: { kind: "status", status: 404, body: "not found" },
    },
  ])("distinguishes a server that answers with $what from an authority", async (answer) => {
    const { code, exitCode, fault } = answer;
    authority.fault("whoami", fault, 9);
    const result = await countersign(login(), { home, input: token });
    expectError(result, code, exitCode);
    expect(result.stderr).toContain(`${authority.url} does not answer as an authority`);
    expect(result.stderr).toMatch(/^hint: check --authority; .*--account and --user$/m);
    expect(result.stderr).not.toContain("Invalid input");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("never follows a redirect of the authority", async () => {
    await using other = await startTestAuthority();
    other.addHuman({ accountId: "acct-9", userId: "user-9", accessToken: token });
    authority.fault("whoami", { kind: "redirect", location: `${other.url}/v1/whoami` }, 9);
    expectError(await countersign(login(), { home, input: token }), "bad_response", 1);
    expect(other.counts.whoami).toBe(0);
  });

  test("rejects plain http to another machine (G-C10)", async () => {
    const args = ["login", "--authority", "http://authority.example", "--token-stdin"];
    expectError(await countersign(args, { home, input: token }), "config_invalid", 2);
  });
});

describe("a store that cannot be read stays as it is", () => {
  test.each([
    { what: "status", args: ["status"] },
    { what: "logout", args: ["logout"] },
    { what: "identity ensure", args: ["identity", "ensure", "--enable", "use_agent_identity"] },
    { what: "header", args: ["header"] },
  ])("$what rejects truncated credentials", async ({ args }) => {
    await storeLogin(home, { authority: authority.url, accessToken: token });
    const file = join(home, "credentials.json");
    const whole = await readFile(file, "utf8");
    await writeFile(file, whole.slice(0, whole.length / 2));
    const before = contentOf(folder.path);
    const result = await countersign(args, { home });
    expectError(result, "store_corrupt", 1);
    expect(result.stderr).not.toContain(token);
    expect(contentOf(folder.path)).toEqual(before);
    expect(authority.counts.registerAgent).toBe(0);
  });

  test("login rejects truncated credentials before it asks the authority", async () => {
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, "credentials.json"), '{"version": 1, "log');
    expectError(await countersign(login(), { home, input: token }), "store_corrupt", 1);
    expect(authority.counts.whoami).toBe(0);
  });
});

describe("login", () => {
  test("asks the authority whose token it is and keeps it for the owner alone", async () => {
    const printed = await output(login(), { home, input: `${token}\n` });
    expect(printed).toBe(`logged in with ${authority.url} as user-1 of acct-1\n`);
    const file = join(home, "credentials.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      version: 1,
      login: {
        authority: authority.url,
        account_id: "acct-1",
        user_id: "user-1",
        kind: "human",
        proof: "bearer",
        access_token: token,
        logged_in_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  });

  test("takes account and user from a token's claims without the network", async () => {
    const claims = { chatgpt_account_id: "acct-7", chatgpt_user_id: "user-7" };
    const payload = JSON.stringify({ "https://api.openai.com/auth": claims });
    const input = `e30.${Buffer.from(payload).toString("base64url")}.c2ln`;
    expect(await json(login(), { home, input })).toEqual({
      authority: authority.url,
      account_id: "acct-7",
      user_id: "user-7",
      proof: "bearer",
    });
    expect(authority.counts.whoami).toBe(0);
  });

  test("takes account and user that are named, and the form of the proof", async () => {
    const args = login(["--account", "acct-2", "--user", "user-2", "--proof", "biscuit"]);
    expect(await json(args, { home, input: token })).toMatchObject({
      account_id: "acct-2",
      user_id: "user-2",
      proof: "biscuit",
    });
  });

  test("takes the token from the environment", async () => {
    const env = { COUNTERSIGN_ACCESS_TOKEN: token, COUNTERSIGN_AUTHORITY: `${authority.url}/` };
    expect(await json(["login"], { home, env })).toMatchObject({ authority: authority.url });
  });
});

describe("status", () => {
  test("reports an empty home without making one", async () => {
    expect(await json(["status"], { home })).toEqual({
      home,
      authority: null,
      store: "file",
      login: null,
      use_agent_identity: false,
      identity: null,
      scope: "cli",
      task: null,
    });
    expect(contentOf(folder.path)).toEqual({});
  });

  test("never touches the network, registers nothing and prints no secret", async () => {
    await storeLogin(home, { authority: authority.url, accessToken: token });
    await authority.close();
    const before = contentOf(folder.path);
    const args = ["status", "--enable", "use_agent_identity"];
    const result = await countersign(args, { home });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain("user-1 of acct-1 (bearer)");
    expect(await json(args, { home })).toMatchObject({ use_agent_identity: true, identity: null });
    expect(result.stdout + result.stderr).not.toContain(token);
    expect(authority.counts.registerAgent).toBe(0);
    expect(contentOf(folder.path)).toEqual(before);
  });
});

describe("logout", () => {
  test("forgets the token and keeps the agent", async () => {
    const flag = ["--enable", "use_agent_identity"];
    await storeLogin(home, { authority: authority.url, accessToken: token });
    await output(["header", ...flag], { home });
    expect(await json(["logout"], { home })).toEqual({ logged_out: true });
    const kept = await readFile(join(home, "credentials.json"), "utf8");
    expect(kept).not.toContain(token);
    expect(JSON.parse(kept)).toMatchObject({ login: null, identities: [{ state: "registered" }] });
    expectError(await countersign(["header", ...flag], { home }), "not_logged_in", 3);
    await storeLogin(home, { authority: authority.url, accessToken: token });
    await output(["identity", "ensure", ...flag], { home });
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("without a login is no error and makes no home", async () => {
    expect(await json(["logout"], { home })).toEqual({ logged_out: false });
    await rm(home, { recursive: true, force: true });
  });
});
