import { rm } from "node:fs/promises";
import { join } from "node:path";
import { removeLogin } from "@countersign/agent-identity";
import { openCredentialStore } from "../credential-store-option.js";
import { HEADER_CACHE_FILE } from "../header-cache.js";
import type { Run } from "../run.js";

/** `logout`. */
export async function logout(run: Run): Promise<void> {
  const store = await openCredentialStore(run);
  const removed = await removeLogin(store);
  // It would not be used any more; but a login that is gone should leave nothing behind.
  if (removed) await rm(join(run.home, HEADER_CACHE_FILE), { force: true });
  run.output.result({ logged_out: removed }, () =>
    removed ? "logged out" : "nobody was logged in",
  );
}
