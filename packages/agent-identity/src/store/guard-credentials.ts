import { inspect } from "node:util";
import { showMembers } from "@countersign/agent-key";
import type { Credentials } from "../credential-store.js";
import type { StoredIdentity, StoredLogin } from "../schema/credentials.js";

/** Keeps the secrets of a store's content out of the console. It is serialised as it is, since stores are there to serialise it. */
export function guardCredentials(credentials: Credentials): Credentials {
  const { login, identities, unreadable = [] } = credentials;
  if (login !== null) guardLogin(login);
  for (const identity of identities) guardIdentity(identity);
  for (const member of unreadable) {
    guard(member, "member", "problem", "authority", "accountId", "userId");
  }
  return guard(credentials, "version", "login", "identities", "unreadable");
}

/** The same for a login alone. */
export function guardLogin<Login extends StoredLogin>(login: Login): Login {
  return guard(login, "authority", "account_id", "user_id", "kind", "logged_in_at");
}

/** The same for one identity. */
export function guardIdentity(identity: StoredIdentity): StoredIdentity {
  return guard(
    identity,
    "authority",
    "account_id",
    "user_id",
    "public_key",
    "next_public_key",
    "agent_runtime_id",
    "state",
    "registered_at",
    "compromised",
    "former_public_keys",
    "codex_homes",
    "revoked",
  );
}

// Once is enough, and a frozen content cannot be guarded again.
function guard<T extends object>(value: T, ...names: readonly (keyof T)[]): T {
  return Object.hasOwn(value, inspect.custom) ? value : showMembers(value, ...names);
}
