import { type AgentDirectory, createVerifier, signAssertion } from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { expect, it } from "vitest";
import { databaseDirectory } from "../src/index.js";
import { TestedAuthority } from "./start-authority.js";

it("keeps lookups of invented agents in a database behind those of agents that are known (G-M7)", async () => {
  await using tested = await TestedAuthority.start();
  const key = AgentKey.generate();
  const registered = await tested.registerAgent(await tested.token(), key);
  const id: string = registered.body.agent_runtime_id;
  const sealed = (await tested.registerTask(id, key)).body.encrypted_task_id;
  const taskId = Buffer.from(openSealedBox(Buffer.from(sealed, "base64"), key)).toString();
  const inDatabase = databaseDirectory(tested.store, tested.url);
  const asked: string[] = [];
  const directory: AgentDirectory = {
    ...inDatabase,
    agent(agentRuntimeId, options) {
      asked.push(agentRuntimeId);
      return inDatabase.agent(agentRuntimeId, options);
    },
  };
  const verifier = createVerifier({ directory, now: tested.store.now });
  const assertionOf = (agentRuntimeId: string) =>
    signAssertion({ agentRuntimeId, taskId, key, timestamp: formatTimestamp(tested.store.now()) });
  await verifier.verify(assertionOf(id));
  asked.length = 0;
  const junk = Array.from({ length: 500 }, (_, index) =>
    verifier.verify(assertionOf(`invented-${index}`), { source: "192.0.2.1" }).catch(() => {}),
  );
  await verifier.verify(assertionOf(id));
  expect(asked.indexOf(id)).toBeGreaterThanOrEqual(0);
  expect(asked.indexOf(id)).toBeLessThanOrEqual(4);
  await Promise.all(junk);
  expect(asked).toHaveLength(501);
});
