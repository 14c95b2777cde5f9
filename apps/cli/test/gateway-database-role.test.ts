import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AssertionSigner, bindRequest } from "@countersign/agent-assertion/sign";
import { fileStore } from "@countersign/agent-identity";
import { type AgentCredential, AgentKey } from "@countersign/agent-key";
import { describe, expect, onTestFinished, test } from "vitest";
import { countersign, json } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { createDatabase, postgresAnswers, runOn } from "./postgres.js";
import { serverWorld } from "./servers.js";

const DOCUMENT = join(import.meta.dirname, "../../../docs/operating/gateway.md");
const PUBLIC_URL = "https://gateway.example";
const isThere = await postgresAnswers();

/** The statements that the document shows, for a role of another name: roles are the whole server's. */
async function createRole(database: string): Promise<string> {
  const role = `gateway_${randomUUID().replaceAll("-", "")}`;
  const shown = readFileSync(DOCUMENT, "utf8").split("```sql\n")[1]?.split("```")[0] ?? "";
  expect(shown).toContain("create role countersign_gateway login;");
  const statements = shown.replaceAll("countersign_gateway", role);
  await runOn(database, statements.replace(" login;", " login password 'pw';"));
  onTestFinished(async () => {
    await runOn(database, `drop owned by ${role}`);
    await runOn(database, `drop role ${role}`);
  });
  const url = new URL(database);
  url.username = role;
  url.password = "pw";
  return url.href;
}

describe.skipIf(!isThere)(
  "the database role that docs/operating/gateway.md gives to a gateway",
  () => {
    test("is enough to verify agents, to spend nonces and to note uses, and for no more", async () => {
      const database = await createDatabase();
      const world = await serverWorld();
      const { home } = world;
      const env = { TEST_DATABASE_URL: database, ...FEATURE_ON };
      const on = ["--database", "env:TEST_DATABASE_URL"];
      const idle = { COUNTERSIGN_AUTHORITY_TASK_IDLE_TTL: "600s" };
      const serve = ["authority", "serve", "--listen", "127.0.0.1:0", ...on];
      const authority = await world.start(serve, { ...env, ...idle });
      const create = ["authority", "token", "create", "--account", "acct-1", "--user", "user-1"];
      const { stdout } = await countersign([...create, ...on, "--json"], { home, env });
      const { token } = JSON.parse(stdout);
      const login = ["login", "--authority", authority.url, "--token-stdin"];
      expect(await countersign(login, { home, env, input: token })).toMatchObject({ code: 0 });

      const asGateway = await createRole(database);
      const gateway = await world.start(
        [
          ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
          ...["--database", "env:GATEWAY_DATABASE_URL", "--binding", "require"],
          ...["--replay-store", "database", "--public-url", PUBLIC_URL],
        ],
        { GATEWAY_DATABASE_URL: asGateway },
      );
      const task = await json(["task", "ensure"], { home, env });
      const [identity] = (await fileStore(home).load()).identities;
      const credential: AgentCredential<AgentKey> = {
        kind: "agent",
        authority: task.authority,
        agentRuntimeId: task.agent_runtime_id,
        taskId: task.task_id,
        key: AgentKey.importPkcs8(identity?.private_key ?? ""),
      };
      const authorization = new AssertionSigner().header(credential);
      const signed = { credential, authorization, method: "GET", body: undefined };
      const fields = bindRequest({ ...signed, targetUri: `${PUBLIC_URL}/v1` });
      const headers = { authorization, ...Object.fromEntries(fields) };
      expect((await fetch(`${gateway.url}/v1`, { headers })).status).toBe(200);
      const again = await fetch(`${gateway.url}/v1`, { headers });
      expect(again.headers.get("www-authenticate")).toContain('"replayed"');
      // Written some time after the answer.
      const show = () =>
        json(["authority", "agents", "show", task.agent_runtime_id, ...on], { home, env });
      await expect
        .poll(show)
        .toMatchObject({ last_used_at: expect.any(String), last_used_reported_by: "database" });
      // The end of a task that was used is moved after the answer.
      gateway.process.kill("SIGTERM");
      expect((await gateway.process.exited).stderr).not.toMatch(/denied|error/);
      for (const statement of [
        "update agents set revoked_at = null",
        "update tasks set revoked_at = null",
        "delete from agent_uses",
        "insert into tasks select * from tasks",
        "select * from access_tokens",
        "select * from signing_keys",
        "delete from audit_events",
      ]) {
        await expect(runOn(asGateway, statement), statement).rejects.toThrow(/permission denied/);
      }
    });
  },
);
