import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createRegistry, openStore, type Registry } from "@countersign/agent-authority";
import { AgentKey } from "@countersign/agent-key";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { contentOf, countersign, expectError, json, output } from "./command-line.js";
import { writeFakeCodex } from "./fake-codex.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

let world: ServerWorld;
let authority: StartedServer;
let codexHome: string;
let agent: { readonly agent_runtime_id: string; readonly task_id: string };

const authJson = () => join(codexHome, "auth.json");
const authOf = async () => JSON.parse(await readFile(authJson(), "utf8"));
const repair = (...more: string[]) => ["codex", "repair", "--codex-home", codexHome, ...more];

beforeEach(async () => {
  world = await serverWorld();
  codexHome = join(world.folder.path, "codex");
  await mkdir(codexHome, { mode: 0o700 });
});

/** A home as Codex 0.171 leaves it behind, with an agent and a task that the authority knows. */
async function openHome(): Promise<void> {
  authority = await world.serve();
  await world.logIn(authority.url);
  const { agent_runtime_id } = await json(["identity", "ensure"], world.options);
  const { task_id } = await json(["task", "ensure"], world.options);
  const stored = JSON.parse(await readFile(join(world.home, "credentials.json"), "utf8"));
  agent = { agent_runtime_id, task_id };
  await writeHome(authority.url, { ...agent, agent_private_key: stored.identities[0].private_key });
}

async function writeHome(url: string, members: object): Promise<void> {
  await writeFile(join(codexHome, "config.toml"), `chatgpt_base_url = "${url}/backend-api"\n`);
  const identity = { account_id: "acct-1", chatgpt_user_id: "user-1", email: "", ...members };
  const auth = { auth_mode: "agentIdentity", OPENAI_API_KEY: null, agent_identity: identity };
  await writeFile(authJson(), JSON.stringify(auth, undefined, 2), { mode: 0o600 });
}

async function operate(work: (registry: Registry) => Promise<unknown>): Promise<void> {
  const store = await openStore(`sqlite:${join(world.folder.path, "authority.db")}`);
  await work(createRegistry(store));
  await store.close();
}

/** A server in place of the authority, and a home that goes to it. */
async function withAnswer(answer: (response: ServerResponse) => void): Promise<void> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await writeHome(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    agent_runtime_id: "agent_1",
    task_id: "task_1",
    agent_private_key: AgentKey.generate().exportPkcs8(),
  });
}

const refuse = (status: number, code: string) => (response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ status, code, title: code }));
};

describe("codex repair changes nothing", () => {
  test.each([
    { code: "agent_revoked", exit: 4, said: "operator" },
    { code: "agent_expired", exit: 4, said: "codex export" },
    { code: "unknown_agent", exit: 4, said: "check that it is the authority" },
    { code: "bad_signature", exit: 4, said: "countersign identity export" },
    { code: "expired", exit: 4, said: "" },
  ])(
    "where the authority refuses the agent with $code, and says what to do",
    async ({ code, exit, said }) => {
      await withAnswer(refuse(401, code));
      const before = contentOf(codexHome);
      const result = await countersign(repair(), world.options);
      expectError(result, code, exit);
      expect(result.stderr).toContain(said);
      expect(contentOf(codexHome)).toEqual(before);
    },
  );

  test("where nothing listens, where the authority is busy, and where it does not know the question", async () => {
    await withAnswer(refuse(404, "invalid_request"));
    const before = contentOf(codexHome);
    expectError(await countersign(repair(), world.options), "invalid_request", 4);
    const nowhere = ["--authority", "http://127.0.0.1:9"];
    expectError(await countersign(repair(...nowhere), world.options), "unreachable", 5);
    expect(contentOf(codexHome)).toEqual(before);
  });

  test("where a home has no config.toml, unless --authority names the authority", async () => {
    const result = await countersign(repair(), world.options);
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("config.toml");
    const none = await json(repair("--authority", "http://127.0.0.1:9"), world.options);
    expect(none).toMatchObject({ task_id: null, task_state: null, removed: false });
  });

  test("where the key is not a key", async () => {
    await writeHome("http://127.0.0.1:9", {
      agent_runtime_id: "agent_1",
      task_id: "task_1",
      agent_private_key: "br0ken",
    });
    const result = await countersign(repair(), world.options);
    expectError(result, "store_corrupt", 1);
    expect(result.stderr).not.toContain("br0ken");
  });

  test("where the task is alive", async () => {
    await openHome();
    const before = contentOf(codexHome);
    expect(await json(repair(), world.options)).toEqual({
      codex_home: codexHome,
      authority: authority.url,
      ...agent,
      task_state: "active",
      removed: false,
    });
    expect(await output(repair(), world.options)).toContain("nothing was changed");
    expect(contentOf(codexHome)).toEqual(before);
  });

  test("where the agent itself is revoked, though its task is too", async () => {
    await openHome();
    await operate(async (registry) => {
      await registry.revokeTask(agent.task_id);
      await registry.revokeAgent(agent.agent_runtime_id);
    });
    const before = contentOf(codexHome);
    expectError(await countersign(repair(), world.options), "agent_revoked", 4);
    expect(contentOf(codexHome)).toEqual(before);
  });
});

describe("codex repair removes the task id", () => {
  test("of a task that was revoked, and nothing else", async () => {
    await openHome();
    const { agent_identity, ...login } = await authOf();
    const { task_id, ...kept } = agent_identity;
    await operate((registry) => registry.revokeTask(task_id));
    expect(await json(repair(), world.options)).toMatchObject({
      task_id,
      task_state: "revoked",
      removed: true,
    });
    expect(await authOf()).toEqual({ ...login, agent_identity: kept });
    expect(await json(repair(), world.options)).toMatchObject({ task_id: null, removed: false });
  });

  test("of a task that the authority does not know, and says so", async () => {
    await openHome();
    const auth = await authOf();
    const agent_identity = { ...auth.agent_identity, task_id: "task_forgotten" };
    await writeFile(authJson(), JSON.stringify({ ...auth, agent_identity }));
    const said = await output(repair("--authority", authority.url), world.options);
    expect(said).toMatch(/task_forgotten in .* is unknown and was removed/);
    expect((await authOf()).agent_identity).not.toHaveProperty("task_id");
  });

  test("of a task that has expired", async () => {
    await withAnswer(refuse(401, "task_expired"));
    const repaired = await json(repair(), world.options);
    expect(repaired).toMatchObject({ task_state: "expired", removed: true });
    expect((await authOf()).agent_identity).not.toHaveProperty("task_id");
  });
});

describe("codex run repairs the home before Codex starts", () => {
  const start = async (more: readonly string[] = []) => {
    const { PATH } = await writeFakeCodex(world.folder.path, "0.171.0");
    const args = ["codex", "run", "--codex-home", codexHome, ...more, "--", "show"];
    const result = await countersign(args, { home: world.home, env: { PATH } });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };

  test("and says so on stderr", async () => {
    await openHome();
    expect((await start()).stderr).toBe("");
    await operate((registry) => registry.revokeTask(agent.task_id));
    const { stderr, stdout } = await start();
    expect(stderr).toMatch(/^warning: the task .* is revoked and was removed; .*\n$/);
    expect(JSON.parse(stdout)).toMatchObject({ args: [] });
    expect((await authOf()).agent_identity).not.toHaveProperty("task_id");
    expect((await start()).stderr).toBe("");
  });

  const expectWarning = async () => {
    const before = contentOf(codexHome);
    expect((await start()).stderr).toMatch(/^warning: the task in .* was not checked: .*\n$/);
    expect(contentOf(codexHome)).toEqual(before);
  };

  // Every other command waits for 30 seconds.
  test("and starts it soon where the authority does not answer", { timeout: 25_000 }, async () => {
    await withAnswer(() => undefined);
    await expectWarning();
  });

  test("and starts it all the same where the authority refuses the agent, or is not there", async () => {
    await withAnswer(refuse(401, "agent_revoked"));
    await expectWarning();
    await writeHome("http://127.0.0.1:9", (await authOf()).agent_identity);
    await expectWarning();
  });
});
