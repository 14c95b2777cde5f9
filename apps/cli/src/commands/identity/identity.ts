import { type AgentIdentity, AgentIdentityManager } from "@countersign/agent-identity";
import type { Run } from "../../config/run.js";
import {
  type AgentSession,
  openAgentSession,
  requireFeature,
  requireLogin,
} from "../../session/agent-session.js";
import { CliError } from "../../text/cli-error.js";
import { formatColumns } from "../../text/output.js";
import { withProgress } from "../../text/progress.js";

/** An identity as commands print it: nothing of the private key. */
export interface DescribedIdentity {
  readonly authority: string;
  readonly account_id: string;
  readonly user_id: string;
  readonly agent_runtime_id: string;
  readonly agent_public_key: string;
  readonly registered_at: string;
}

/** Describes an identity for people and scripts. */
export function describeIdentity(identity: AgentIdentity): DescribedIdentity {
  return {
    authority: identity.authority,
    account_id: identity.accountId,
    user_id: identity.userId,
    agent_runtime_id: identity.agentRuntimeId,
    agent_public_key: identity.key.publicKey.line,
    registered_at: identity.registeredAt,
  };
}

/** `identity ensure`. */
export async function ensureIdentity(run: Run): Promise<void> {
  await using session = await openAgentSession(run);
  requireFeature(session);
  await requireLogin(session);
  const identity = await withProgress(
    run.output,
    `registering this machine's agent with ${session.authority}`,
    () => session.identities.ensure({ signal: run.signal }),
  );
  print(run, session, identity);
}

/** `identity show`. */
export async function showIdentity(run: Run): Promise<void> {
  await using session = await openAgentSession(run);
  await requireLogin(session);
  const { authority, auth, store } = session;
  // The feature decides what is signed, not what is stored.
  const identities = new AgentIdentityManager({ authority, auth, store });
  print(run, session, await identities.peek());
}

function print(run: Run, session: AgentSession, identity: AgentIdentity | undefined): void {
  if (identity === undefined) {
    throw new CliError("no_identity", `no agent is registered with ${session.authority}`, {
      hint: "countersign identity ensure",
    });
  }
  const described = describeIdentity(identity);
  run.output.result(described, () => formatColumns(Object.entries(described)));
}
