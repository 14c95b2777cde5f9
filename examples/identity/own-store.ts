import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type CredentialStore, fileStore } from "@countersign/agent-identity";
import { credentialStoreContract } from "@countersign/agent-identity/store-contract";

/** Calls `changed` after each change of a store. */
function watchedStore(store: CredentialStore, changed: () => void): CredentialStore {
  return {
    ...store,
    async update(change, options) {
      const after = await store.update(change, options);
      changed();
      return after;
    },
  };
}

async function start() {
  const folder = await mkdtemp(join(tmpdir(), "credentials-"));
  return {
    open: () => watchedStore(fileStore(folder), () => {}),
    close: () => rm(folder, { recursive: true }),
  };
}

for (const { name, run } of credentialStoreContract({ start })) test(name, run);
