import type { SigningKeyInfo } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import {
  printRow,
  printRows,
  type RegistryOptions,
  type Row,
  withRegistry,
} from "../../session/registry-session.js";

/** `authority keys list`. */
export async function listKeys(run: Run, options: RegistryOptions): Promise<void> {
  const keys = await withRegistry(run, options, (registry) => registry.listSigningKeys());
  printRows(run, keys.map(describe), ["kid", "state", "created_at", "last_token_ends_at"]);
}

/** `authority keys rotate`: shows the key that signs from now on. */
export async function rotateKey(run: Run, options: RegistryOptions): Promise<void> {
  const key = await withRegistry(run, options, (registry) => registry.rotateSigningKey());
  printRow(run, describe(key));
}

function describe(key: SigningKeyInfo): Row {
  return {
    kid: key.kid,
    state: key.state,
    created_at: key.createdAt,
    retired_at: key.retiredAt,
    last_token_ends_at: key.lastTokenEndsAt,
  };
}
