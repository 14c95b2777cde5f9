import type { Run } from "../../config/run.js";
import { toRow } from "../../session/registry-commands.js";
import {
  printRow,
  printRows,
  type RegistryOptions,
  withRegistry,
} from "../../session/registry-session.js";

/** `authority keys list`. */
export async function listKeys(run: Run, options: RegistryOptions): Promise<void> {
  const keys = await withRegistry(run, options, (registry) => registry.listSigningKeys());
  printRows(run, keys.map(toRow), ["kid", "state", "created_at", "last_token_ends_at"]);
}

/** `authority keys rotate`: shows the key that signs from now on. */
export async function rotateKey(run: Run, options: RegistryOptions): Promise<void> {
  const key = await withRegistry(run, options, (registry) => registry.rotateSigningKey());
  printRow(run, toRow(key));
}
