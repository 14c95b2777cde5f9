import { readFile } from "node:fs/promises";
import { AgentKey, type AgentSigner } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { startWorld, turn } from "./world.js";

/** A key outside of the process: it signs later, and does nothing else. */
function signerOf(key: AgentKey): AgentSigner {
  return { publicKey: key.publicKey, sign: async (text) => key.sign(text) };
}

test("an agent signs with a key that is kept elsewhere, and its home has no private key (G-K13)", async () => {
  const world = await startWorld();
  const key = AgentKey.generate();
  const agent = world.connect({ signers: [signerOf(key)] });
  const caller = await turn(world, agent);
  expect(world.authority.agents).toMatchObject([
    { agentRuntimeId: caller.agentRuntimeId, publicKey: key.publicKey.line },
  ]);
  expect(world.authority.tasks).toMatchObject([{ taskId: caller.taskId }]);
  for (const { headers } of world.api.requests) {
    expect(headers.authorization).toMatch(/^AgentAssertion [A-Za-z0-9_-]+$/);
  }
  const stored = await readFile(`${world.home}/credentials.json`, "utf8");
  expect(stored).toContain(key.publicKey.line);
  expect(stored).not.toContain("private_key");
  const again = await turn(world, world.connect({ signers: [signerOf(key)] }));
  expect(again).toEqual(caller);
});

test("a thread goes on in its task after a rotation from one signer to another", async () => {
  const world = await startWorld();
  const [current, next] = [AgentKey.generate(), AgentKey.generate()];
  const agent = world.connect({ signers: [signerOf(current)] });
  const before = await turn(world, agent);
  await agent.identities.rotate({ next: signerOf(next) });
  expect(await turn(world, agent)).toEqual(before);
  const other = world.connect({ signers: [signerOf(next), signerOf(current)] });
  expect(await turn(world, other)).toEqual(before);
});
