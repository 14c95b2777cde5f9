import { readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { findProgram, runProcess, startProcess } from "@countersign/testing";
import { openDirectory } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { callWithSshAgent, sshAgentSigner } from "../keys/ssh-agent.js";
import { doJob, webCryptoSigner } from "../keys/web-crypto.js";
import { createApi } from "../verify/node.js";
import { end, listen, startWorld } from "./world.js";

const SSH_AGENT = findProgram("ssh-agent");
if (SSH_AGENT === undefined) {
  console.warn(
    "skipped: the example of ssh-agent: it is not installed (Debian: apt-get install openssh-client)",
  );
}

/** An authority, and an API that verifies. */
async function start() {
  const world = await startWorld();
  const server = createApi(world.authority);
  onTestFinished(() => end(server));
  return { ...world, api: await listen(server) };
}

/** OpenSSH's agent with a new key, which is nowhere else. */
async function startSshAgent() {
  const folder = await openDirectory();
  const [socket, file] = [join(folder, "agent.sock"), join(folder, "key")];
  const running = await startProcess(SSH_AGENT ?? "", ["-D", "-a", socket]);
  onTestFinished(() => running[Symbol.asyncDispose]());
  await expect.poll(() => stat(socket).catch(() => undefined)).toBeDefined();
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  await run("ssh-add", ["-q", file], { SSH_AUTH_SOCK: socket });
  const [kind, key] = (await readFile(`${file}.pub`, "utf8")).split(" ");
  await rm(file);
  return { socket, line: `${kind} ${key}` };
}

async function run(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const result = await runProcess(command, args, { env: { ...process.env, ...env } });
  expect(result).toMatchObject({ code: 0 });
}

describe.runIf(SSH_AGENT !== undefined)("an agent whose key is in OpenSSH's ssh-agent", () => {
  test("sends a verified request, and the next process of its home goes on in the same task", async () => {
    const { authority, accessToken, registry, api } = await start();
    const { socket, line } = await startSshAgent();
    const home = join(await openDirectory(), "home");
    const settings = { authority, accessToken, home };
    const signer = sshAgentSigner(socket, line);
    const answer = await callWithSshAgent(settings, api, signer);
    const [agent, ...others] = await registry.listAgents();
    expect(others).toEqual([]);
    const [task] = await registry.listTasks();
    expect(answer).toContain(`${agent?.agentRuntimeId} of acct-1 in ${task?.taskId}`);
    const stored = await readFile(join(home, "credentials.json"), "utf8");
    expect(JSON.parse(stored).identities).toMatchObject([{ public_key: line }]);
    expect(stored).not.toContain("private_key");
    expect(await callWithSshAgent(settings, api, sshAgentSigner(socket, line))).toBe(answer);
    expect(await registry.listTasks()).toHaveLength(1);
  });

  test("sends nothing while the ssh-agent has no such key, is gone, or hangs", async () => {
    const { authority, accessToken, registry, api } = await start();
    const { socket } = await startSshAgent();
    const { publicKey } = await webCryptoSigner();
    const hanging = createServer(() => {});
    const silent = join(await openDirectory(), "silent.sock");
    await new Promise<void>((resolve) => hanging.listen(silent, resolve));
    onTestFinished(() => void hanging.close());
    const home = join(await openDirectory(), "home");
    for (const path of [socket, `${socket}.gone`]) {
      const signer = sshAgentSigner(path, publicKey.line);
      const call = callWithSshAgent({ authority, accessToken, home }, api, signer);
      await expect(call).rejects.toMatchObject({ code: "signer_failed" });
    }
    const late = sshAgentSigner(silent, publicKey.line).sign(Buffer.from("text"), {
      signal: AbortSignal.timeout(50),
    });
    await expect(Promise.resolve(late)).rejects.toThrow(/abort/i);
    expect(await registry.listAgents()).toEqual([]);
  });
});

describe("an agent whose key is in WebCrypto and cannot be exported", () => {
  test("sends a verified request, and each process is another agent", async () => {
    const { authority, accessToken, registry, api } = await start();
    const answers = [
      await doJob(authority, accessToken, api),
      await doJob(authority, accessToken, api),
    ];
    const agents = await registry.listAgents();
    const tasks = await registry.listTasks();
    expect(agents).toHaveLength(2);
    for (const { agentRuntimeId } of agents) {
      const task = tasks.find((one) => one.agentRuntimeId === agentRuntimeId);
      const said = `${agentRuntimeId} of acct-1 in ${task?.taskId}`;
      expect(answers.filter((answer) => answer.includes(said))).toHaveLength(1);
    }
  });
});
