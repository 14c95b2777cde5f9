import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { countersign, expectError, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

let world: ServerWorld;

const TOKEN = "0123456789abcdef-token";
const NOWHERE = "http://127.0.0.1:1";
const LOOPBACK = ["authorize", "--gateway", "nginx", "--listen", "127.0.0.1:0"];
const NO_ACCOUNTS = "--account ID for each account, or --any-account";
const QUESTION = { "X-Original-Method": "POST", "X-Original-URI": "/v1/x?y=1" };

beforeEach(async () => {
  world = await serverWorld();
});

describe("authorize refuses", () => {
  test.each([
    ["no kind of gateway", ["authorize", "--listen", "127.0.0.1:0"], "--gateway"],
    ["an unknown kind", ["authorize", "--gateway", "apache", "--listen", "127.0.0.1:0"], "choices"],
    ["nowhere to listen", ["authorize", "--gateway", "nginx"], "--socket PATH"],
    ["two places to listen", [...LOOPBACK, "--socket", "/tmp/x"], "--socket PATH"],
    [
      "to serve others without accounts (G-G10)",
      ["authorize", "--gateway", "nginx", "--listen", "0.0.0.0:0"],
      NO_ACCOUNTS,
    ],
    ["to serve every account by default on loopback (G-G10)", LOOPBACK, NO_ACCOUNTS],
    ["no accounts, in words that hold on loopback too", LOOPBACK, "error: no account may call"],
    [
      "to serve every account by default on a socket (G-G10)",
      ["authorize", "--gateway", "nginx", "--socket", "/tmp/x"],
      NO_ACCOUNTS,
    ],
    [
      "an audience whose keys nothing shows",
      [...LOOPBACK, "--any-account", "--audience", "api"],
      "--operations-listen",
    ],
    [
      "a name in tokens without an audience",
      [...LOOPBACK, "--any-account", "--token-issuer", "edge"],
      "--audience",
    ],
    [
      "a token in an argument",
      [...LOOPBACK, "--any-account", "--gateway-token", TOKEN],
      "env:VAR or file:PATH",
    ],
  ])("%s", async (_, args, says) => {
    const { home } = world;
    const result = await countersign([...args, "--authority", NOWHERE], { home });
    expectError(result, "usage", 2);
    expect(result.stderr).toContain(says);
    expect(result.stderr).not.toContain(TOKEN);
  });

  test("to listen where others can ask, without a token (G-F2)", async () => {
    const { home } = world;
    const args = ["authorize", "--gateway", "nginx", "--listen", "0.0.0.0:0", "--any-account"];
    expectError(
      await countersign([...args, "--authority", NOWHERE], { home }),
      "config_invalid",
      2,
    );
  });
});

test("authorize answers a gateway, by its token, with the agent of a request", async () => {
  const { folder, home, onDatabase } = world;
  const authority = await world.serve();
  await world.logIn(authority.url);
  const line = await output(["header"], { home, env: FEATURE_ON });
  const [header = ""] = /AgentAssertion \S+/.exec(line) ?? [];
  const file = join(folder.path, "gateway-token");
  await writeFile(file, `${TOKEN}\n`, { mode: 0o600 });
  const audit = join(folder.path, "audit.jsonl");
  const { process, url } = await world.start([
    ...LOOPBACK,
    ...["--account", "acct-1"],
    ...onDatabase,
    ...["--gateway-token", `file:${file}`, "--audit", audit],
    ...["--audience", "api", "--operations-listen", "127.0.0.1:0"],
  ]);
  const question = { ...QUESTION, Authorization: header };
  expect((await fetch(url, { headers: question })).status).toBe(403);
  const headers = { ...question, "X-Gateway-Token": TOKEN };
  const answer = await fetch(url, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-agent-account-id")).toBe("acct-1");
  const [head = ""] = answer.headers.get("x-agent-caller-token")?.split(".") ?? [];
  const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
  const keys = await (await fetch(`${operations}/.well-known/jwks.json`)).text();
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
  expect(keys).toContain(`"kid":"${kid}"`);
  process.kill("SIGTERM");
  expect((await process.exited).code).toBe(0);
});

test("authorize takes its keys and its gateway's token from their files again (G-F5)", async () => {
  const { folder, onDatabase } = world;
  await world.serve();
  const pem = () =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  const [keys, token] = [join(folder.path, "keys.pem"), join(folder.path, "gateway-token")];
  await writeFile(keys, pem(), { mode: 0o600 });
  await writeFile(token, TOKEN, { mode: 0o600 });
  const { process, url } = await world.start([
    ...[...LOOPBACK, "--any-account", ...onDatabase],
    ...["--gateway-token", `file:${token}`, "--audience", "api", "--token-keys", keys],
    ...["--operations-listen", "127.0.0.1:0"],
  ]);
  const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
  const published = async () =>
    ((await (await fetch(`${operations}/.well-known/jwks.json`)).json()) as { keys: object[] })
      .keys;
  const [former] = await published();
  await writeFile(keys, "secret");
  await process.waitForLine(
    /^warning: its file changed: the keys of --token-keys stay as they were: .*\(config_invalid\)$/,
  );
  expect(await published()).toEqual([former]);
  await writeFile(keys, pem());
  process.kill("SIGHUP");
  await process.waitForLine(/: the keys of --token-keys were read again$/);
  expect(await published()).toEqual([expect.not.objectContaining(former ?? {}), former]);
  await writeFile(token, `${TOKEN}-2`);
  await process.waitForLine(/: the token of --gateway-token was read again$/);
  const statusWith = async (value: string) =>
    (await fetch(url, { headers: { ...QUESTION, "X-Gateway-Token": value } })).status;
  expect([await statusWith(TOKEN), await statusWith(`${TOKEN}-2`)]).toEqual([403, 401]);
});
