import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileStore } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { ROTATION_STEPS } from "@countersign/testing/die-at-step";
import { sampleRows } from "@countersign/testing/effort";
import { expect, test } from "vitest";
import { type CommandOptions, countersign, json, output, storeLogin } from "../command-line.js";
import { FEATURE_ON, freshHome } from "../fresh-home.js";
import { startAuthorityProcess } from "./authority-process.js";
import { startFaultGateway } from "./fault-gateway.js";

const HOOK = pathToFileURL(join(import.meta.dirname, "../processes/die-at-step.ts")).href;
const STEPS = ROTATION_STEPS.map((name, step) => ({ name, step }));

async function lineOf(home: string): Promise<string> {
  const [entry] = (await fileStore(home).load()).identities;
  return AgentKey.importPkcs8(entry?.private_key ?? "").publicKey.line;
}

test.each([
  // A gateway that keeps a record for 15 s must still accept the first request with each new key.
  { rotate: ["identity", "rotate"], revocationDelaySeconds: 15 },
  { rotate: ["identity", "rotate", "--compromised"], revocationDelaySeconds: 0 },
])(
  "$rotate killed at any step leaves an agent whose requests are accepted, and the next one finishes it",
  async ({ rotate, revocationDelaySeconds }) => {
    const authority = await startAuthorityProcess();
    const token = await authority.token("resource_server");
    const gateway = await startFaultGateway({
      ...{ authority: authority.url, token },
      directory: { revocationDelaySeconds },
    });
    const { home, options } = await freshHome();
    await storeLogin(home, { authority: authority.url, accessToken: await authority.token() });
    const { agent_runtime_id } = await json(["identity", "ensure"], options);
    const send = async (turn: string, thread: string) => {
      const url = `${gateway.url}/v1/turns/${turn}`;
      await output(["request", url, "--origin", gateway.url, "--thread", thread], options);
      expect(gateway.accepted().at(-1)).toBe(turn);
    };
    await send("first", "thread-1");
    const steps = sampleRows(`steps of ${rotate.join(" ")}`, STEPS, 5);
    for (const { name, step } of steps) {
      const before = await lineOf(home);
      const env = { ...FEATURE_ON, NODE_OPTIONS: `--import=${HOOK}`, DIE_AT_STEP: `${step}` };
      const dying: CommandOptions = { home, env };
      const killed = await countersign(rotate, dying);
      const last = killed.stderr.trim().split("\n").at(-1);
      expect([killed.signal, last], killed.stderr).toEqual(["SIGKILL", `step: ${name}`]);
      // The thread goes on, and so does one that has to be registered.
      await send(`known-${step}`, "thread-1");
      await send(`new-${step}`, `thread-of-${step}`);
      const [entry] = (await fileStore(home).load()).identities;
      const isFinished = entry?.next_private_key === undefined && (await lineOf(home)) !== before;
      const rotated = isFinished
        ? await json(["identity", "show"], options)
        : await json(["identity", "rotate"], options);
      expect(rotated.agent_runtime_id).toBe(agent_runtime_id);
      expect(rotated.agent_public_key).not.toBe(before);
      expect(rotated.agent_public_key).toBe(await lineOf(home));
      await send(`rotated-${step}`, "thread-1");
    }
    expect(new Set(gateway.acceptedTasks()).size).toBe(1 + steps.length);
    const { agents, tasks } = await authority.registered();
    expect({ agents, tasks }).toEqual({ agents: 1, tasks: 1 + steps.length });
  },
  400_000,
);
