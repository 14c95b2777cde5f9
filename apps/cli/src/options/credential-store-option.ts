import { type CredentialStore, fileStore } from "@countersign/agent-identity";
import type { Run } from "../config/run.js";
import { inspectHome } from "../home/home.js";

/**
 * Opens the store of logins and identities of this home that the configuration names, after the home was looked at. One that cannot be used
 * is an error of its calls; none is ever taken in the place of another.
 */
export async function openCredentialStore(run: Run): Promise<CredentialStore> {
  await inspectHome(run.home);
  const { store } = await run.config();
  if (store === "file") return fileStore(run.home);
  const { keyringStore } = await import("@countersign/agent-identity/keyring-store");
  return keyringStore({ directory: run.home });
}
