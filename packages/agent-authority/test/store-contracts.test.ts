import {
  agentDirectoryContract,
  replayStoreContract,
} from "@countersign/agent-assertion/store-contract";
import type { AgentKey } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, test } from "vitest";
import { databaseDirectory, databaseReplayStore, openStore } from "../src/index.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import { TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

describe("a replay store in the database", () => {
  const startWithClock = async (now: () => number) => {
    const database = await createTestDatabase();
    const opened: AuthorityStore[] = [];
    return {
      async open() {
        const store = await openStore(database.url, { now });
        opened.push(store);
        return databaseReplayStore(store);
      },
      async close() {
        for (const store of opened) await store.close();
        await database.drop();
      },
    };
  };
  const start = () => startWithClock(Date.now);
  const startUnreachable = async () => {
    const place = await start();
    const replayStore = await place.open();
    await place.close();
    return { open: () => replayStore };
  };
  const contract = replayStoreContract({ start, startWithClock, startUnreachable });
  for (const { name, run } of contract) test(name, run);
});

describe("a directory of the database", () => {
  // Two agents and three tasks, as their owners know them.
  const start = async () => {
    const tested = await TestedAuthority.start();
    const [active, revoked] = [await tested.agent("user-1"), await tested.agent("user-2")];
    const taskIds = [
      await registerTask(tested, active, "first"),
      await registerTask(tested, active, "second"),
      await registerTask(tested, revoked, "third"),
    ] as const;
    const { registry } = tested.authority;
    await registry.revokeAgent(revoked.id);
    await registry.revokeTask(taskIds[1]);
    const agentOf = ({ id, key }: typeof active, userId: string, state: "active" | "revoked") => ({
      agentRuntimeId: id,
      accountId: "acct-1",
      userId,
      capabilities: [],
      publicKeys: [key.publicKey],
      state,
    });
    return {
      known: {
        authority: tested.url,
        agents: [agentOf(active, "user-1", "active"), agentOf(revoked, "user-2", "revoked")],
        // The state of a task is its own, not its agent's.
        tasks: [
          { agentRuntimeId: active.id, taskId: taskIds[0], state: "active" },
          { agentRuntimeId: active.id, taskId: taskIds[1], state: "revoked" },
          { agentRuntimeId: revoked.id, taskId: taskIds[2], state: "active" },
        ],
      },
      open: () => databaseDirectory(tested.store, `${tested.url}/`),
      close: () => tested[Symbol.asyncDispose](),
    } as const;
  };
  const startUnreachable = async () => {
    const place = await start();
    await place.close();
    return { known: place.known, open: place.open };
  };
  const contract = agentDirectoryContract({ start, startUnreachable });
  for (const { name, run } of contract) test(name, run);
});

async function registerTask(
  tested: TestedAuthority,
  { id, key }: { readonly id: string; readonly key: AgentKey },
  name: string,
): Promise<string> {
  const { body } = await tested.registerTask(id, key, { "idempotency-key": name });
  const box = Buffer.from(body.encrypted_task_id, "base64");
  return Buffer.from(openSealedBox(box, key)).toString();
}
