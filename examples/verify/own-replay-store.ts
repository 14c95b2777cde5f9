import { test } from "node:test";
import { memoryReplayStore, type ReplayStore } from "@countersign/agent-assertion";
import { replayStoreContract } from "@countersign/agent-assertion/store-contract";

/** Calls `refused` for each request whose nonce was spent before. */
function countedStore(store: ReplayStore, refused: () => void): ReplayStore {
  return {
    async spend(entry) {
      const isFirst = await store.spend(entry);
      if (!isFirst) refused();
      return isFirst;
    },
  };
}

function start() {
  const store = countedStore(memoryReplayStore(), () => {});
  return { open: () => store };
}

for (const { name, run } of replayStoreContract({ start })) test(name, run);
