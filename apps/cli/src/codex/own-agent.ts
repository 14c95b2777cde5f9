import type { Credentials, StoredHumanLogin, StoredIdentity } from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import type { Run } from "../config/run.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError } from "../text/cli-error.js";
import { isSameOwner } from "./codex-identity.js";

/** The registered agent of a human's login, in this home. */
export interface OwnAgent {
  readonly login: StoredHumanLogin;
  readonly agentRuntimeId: string;
  readonly entry: StoredIdentity;
}

/** Finds the registered agent of the login; `undefined`: nobody is logged in as a human, or there is none. */
export function findOwnAgent({ login, identities }: Credentials): OwnAgent | undefined {
  if (login?.kind !== "human") return undefined;
  const entry = identities.find(
    (identity) => identity.state === "registered" && isSameOwner(identity, login),
  );
  const agentRuntimeId = entry?.agent_runtime_id;
  if (entry === undefined || agentRuntimeId === undefined) return undefined;
  return { login, agentRuntimeId, entry };
}

/**
 * Ends an agent at its authority, as the human whom it belongs to. Also with the feature off.
 *
 * @throws {AuthorityError} what the authority refused
 */
export async function revokeOwnAgent(run: Run, { login, agentRuntimeId }: OwnAgent): Promise<void> {
  const authority = parseBaseUrl(run, { url: login.authority, from: "the login" });
  const client = new AuthorityClient({ authority, ...run.asking });
  await client.revokeAgent(login.access_token, agentRuntimeId, { signal: run.signal });
}

/** The error of a login that has no agent which its human could end. */
export function noOwnAgent({ login }: Credentials): CliError {
  if (login === null) {
    return new CliError("not_logged_in", "nobody is logged in", { hint: "countersign login" });
  }
  if (login.kind === "agent") {
    return new CliError("not_logged_in", "the login is an agent's, and no human's", {
      hint: `ask whoever issued the identity token, or runs ${login.authority}`,
    });
  }
  return new CliError("no_identity", `no agent is registered with ${login.authority}`, {
    hint: "countersign identity ensure",
  });
}
