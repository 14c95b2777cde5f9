import { showMembers } from "@countersign/agent-key";
import type { Credentials } from "../credential-store.js";
import type { StoredIdentity, StoredLogin } from "../schema/credentials.js";

/** Keeps the secrets of a store's content out of the console. It is serialised as it is, since stores are there to serialise it. */
export function guardCredentials(credentials: Credentials): Credentials {
  const { login, identities, unreadable = [] } = credentials;
  if (login !== null) guardLogin(login);
  for (const identity of identities) guardIdentity(identity);
  for (const member of unreadable) {
    showMembers(member, "member", "problem", "authority", "accountId", "userId");
  }
  return showMembers(credentials, "version", "login", "identities", "unreadable");
}

/** The same for a login alone. */
export function guardLogin<Login extends StoredLogin>(login: Login): Login {
  return showMembers(login, "authority", "account_id", "user_id", "kind", "logged_in_at");
}

/** The same for one identity. */
export function guardIdentity(identity: StoredIdentity): StoredIdentity {
  return showMembers(
    identity,
    "authority",
    "account_id",
    "user_id",
    "agent_runtime_id",
    "state",
    "registered_at",
    "compromised",
    "former_public_keys",
    "codex_homes",
    "revoked",
  );
}
