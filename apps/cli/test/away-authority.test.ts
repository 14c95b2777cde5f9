import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { startTestAuthority } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { countersign, expectError, storeLogin } from "./command-line.js";
import { FEATURE_ON, freshHome } from "./fresh-home.js";

/** A port where every connection ends at once, as behind an authority that starts again. */
async function startAwayAuthority() {
  const seen = { connections: 0 };
  const server = createServer((socket) => {
    seen.connections += 1;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A home that is logged in with it. */
async function startWorld() {
  const home = await freshHome();
  const authority = await startAwayAuthority();
  await storeLogin(home.home, { authority: authority.url });
  return { ...home, authority };
}

test.each([
  ["task ensure", ["task", "ensure"]],
  ["header", ["header"]],
  ["identity ensure", ["identity", "ensure"]],
  ["request", ["request", "https://api.example/v1", "--origin", "https://api.example"]],
])("%s asks an authority that is away 3 times, and then says so", async (_, args) => {
  const { authority, options } = await startWorld();
  expectError(await countersign(args, options), "unreachable", 5);
  expect(authority.seen.connections).toBe(3);
});

test("doctor asks an authority that is away 3 times for each of its checks", async () => {
  const { authority, options } = await startWorld();
  const { code, stdout } = await countersign(["doctor", "--json"], options);
  expect(code).toBe(1);
  expect(stdout).toContain("unreachable");
  expect(authority.seen.connections).toBeLessThanOrEqual(6);
});

test("codex repair asks an authority that is away 3 times", async () => {
  const { authority, folder, options } = await startWorld();
  const codexHome = join(folder.path, "codex");
  await mkdir(codexHome, { mode: 0o700 });
  const agent = {
    ...{ agent_runtime_id: "agent_1", account_id: "acct-1", chatgpt_user_id: "user-1", email: "" },
    ...{ task_id: "task_1", agent_private_key: AgentKey.generate().exportPkcs8() },
  };
  const auth = { auth_mode: "agentIdentity", OPENAI_API_KEY: null, agent_identity: agent };
  await writeFile(join(codexHome, "auth.json"), JSON.stringify(auth), { mode: 0o600 });
  const args = ["codex", "repair", "--codex-home", codexHome, "--authority", authority.url];
  expectError(await countersign(args, options), "unreachable", 5);
  expect(authority.seen.connections).toBe(3);
});

test("login asks an authority that is away 3 times whose token it is", async () => {
  const { home } = await freshHome();
  const authority = await startAwayAuthority();
  const args = ["login", "--authority", authority.url, "--token-stdin"];
  const result = await countersign(args, { home, env: FEATURE_ON, input: "t0ken" });
  expect(result.code).not.toBe(0);
  expect(authority.seen.connections).toBe(3);
});

test("login asks for the keys of an identity JWT 3 times", async () => {
  const { home } = await freshHome();
  const issuer = await startTestAuthority();
  onTestFinished(() => issuer.close());
  const { token } = issuer.issueIdentityJwt({ accountId: "acct-1", userId: "user-1" });
  const authority = await startAwayAuthority();
  const args = ["login", "--authority", authority.url, "--identity-jwt-stdin"];
  expectError(await countersign(args, { home, input: token }), "unreachable", 5);
  expect(authority.seen.connections).toBe(3);
});

test("a question to the registry of an authority that is away is asked 3 times", async () => {
  const { options } = await freshHome();
  const authority = await startAwayAuthority();
  const args = ["authority", "agents", "list", "--authority", authority.url];
  const env = { OPERATOR: "token" };
  const more = ["--authority-token", "env:OPERATOR"];
  expectError(await countersign([...args, ...more], { ...options, env }), "unreachable", 5);
  expect(authority.seen.connections).toBe(3);
});
