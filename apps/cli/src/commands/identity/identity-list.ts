import {
  type Credentials,
  publicLineOf,
  type StoredIdentity,
  type UnreadableMember,
} from "@countersign/agent-identity";
import { escapeText } from "@countersign/agent-key/escaping";
import { isSameOwner } from "../../codex/codex-identity.js";
import type { Run } from "../../config/run.js";
import { namedAuthority } from "../../options/authority-option.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { parseUnsentBaseUrl } from "../../options/http-url.js";
import { formatColumns } from "../../text/output.js";

/** A stored identity as `identity list` prints it: nothing of the private key. */
export interface ListedIdentity {
  readonly authority: string | null;
  readonly account_id: string | null;
  readonly user_id: string | null;
  /** `null` while its registration has not been answered. */
  readonly agent_runtime_id: string | null;
  readonly agent_public_key: string | null;
  readonly state: "pending" | "registered" | "unreadable";
  readonly registered_at: string | null;
  /** Whether it is the one of this login with this authority. */
  readonly current: boolean;
}

/** `identity list`: reads the home and nothing else. */
export async function listIdentities(run: Run): Promise<void> {
  const store = await openCredentialStore(run);
  const credentials = await store.load();
  const isCurrent = await createIsCurrent(run, credentials);
  const { identities, unreadable = [] } = credentials;
  const rows = [
    ...identities.map((identity) => describe(identity, isCurrent(identity))),
    ...unreadable
      .filter(({ member }) => member === "identities")
      .map((member) => describeUnreadable(run, store.description, member)),
  ];
  run.output.result(rows, () =>
    formatColumns(
      rows.map((row) => [
        row.current ? "*" : " ",
        escapeText(row.agent_runtime_id ?? "-"),
        row.state,
        escapeText(row.user_id ?? "-"),
        escapeText(row.account_id ?? "-"),
        escapeText(row.authority ?? "-"),
      ]),
    ),
  );
}

async function createIsCurrent(
  run: Run,
  { login }: Credentials,
): Promise<(identity: StoredIdentity) => boolean> {
  const authority = await namedAuthority(run, login?.authority);
  const wanted = authority === undefined ? undefined : parseUnsentBaseUrl(authority);
  // An agent that came with its key as the login is not one of these.
  if (login?.kind !== "human" || login.authority !== wanted) return () => false;
  return (identity) => isSameOwner(identity, login);
}

function describe(identity: StoredIdentity, current: boolean): ListedIdentity {
  const publicKey = publicLineOf(identity);
  return {
    authority: identity.authority,
    account_id: identity.account_id,
    user_id: identity.user_id,
    agent_runtime_id: identity.agent_runtime_id ?? null,
    agent_public_key: publicKey ?? null,
    state: publicKey === undefined ? "unreadable" : identity.state,
    registered_at: identity.registered_at ?? null,
    current,
  };
}

function describeUnreadable(
  run: Run,
  description: string,
  { problem, authority, accountId, userId }: UnreadableMember,
): ListedIdentity {
  run.output.warn(`${description}: an identity cannot be read: ${problem}`);
  return {
    authority: authority ?? null,
    account_id: accountId ?? null,
    user_id: userId ?? null,
    agent_runtime_id: null,
    agent_public_key: null,
    state: "unreadable",
    registered_at: null,
    current: false,
  };
}
