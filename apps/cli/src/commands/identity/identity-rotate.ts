import { formatTimestamp } from "@countersign/agent-key";
import { exportCommand, outdatedCodexHomes } from "../../codex/codex-copies.js";
import { findLoginAgent } from "../../codex/login-agent.js";
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
import { describeIdentity } from "./identity.js";

/** Options of `identity rotate`. */
export interface RotateIdentityOptions {
  readonly compromised?: boolean;
}

/** `identity rotate`: gives the agent a new key, or finishes a rotation that was cut off. */
export async function rotateIdentity(
  run: Run,
  { compromised = false }: RotateIdentityOptions,
): Promise<void> {
  await using session = await openAgentSession(run);
  requireFeature(session);
  await requireLogin(session);
  const rotation =
    (await session.identities.peek()) &&
    (await withProgress(
      run.output,
      `giving this machine's agent a new key at ${session.authority}`,
      () => session.identities.rotate({ compromised, signal: run.signal }),
    ));
  if (rotation === undefined) {
    throw new CliError("no_identity", `no agent is registered with ${session.authority}`, {
      hint: "countersign identity ensure",
    });
  }
  const { identity, formerKeyEndsAt } = rotation;
  const ends = formerKeyEndsAt === null ? null : formatTimestamp(formerKeyEndsAt);
  const codexHomes = await findCopies(session);
  if (codexHomes.length > 0) run.output.warn(copyWarning(codexHomes, session.authority, ends));
  const described = { ...describeIdentity(identity), former_key_ends_at: ends };
  const copies = codexHomes.length > 0 ? { codex_homes: codexHomes } : {};
  run.output.result({ ...described, ...copies }, () =>
    formatColumns(
      Object.entries({
        ...described,
        former_key_ends_at:
          ends === null ? "it has ended" : `${ends}, or with the first use of the new one`,
      }),
    ),
  );
}

/** The Codex homes that hold a former key of the login's agent: those that it was exported to, or imported from. */
async function findCopies({ store }: AgentSession): Promise<readonly string[]> {
  const own = findLoginAgent(await store.load());
  return own === undefined ? [] : await outdatedCodexHomes(own.entry);
}

function copyWarning(
  codexHomes: readonly string[],
  authority: string,
  endsAt: string | null,
): string {
  const ends =
    endsAt === null
      ? "which has ended"
      : `which ends with the first use of the new one, or ${endsAt}`;
  const commands = codexHomes.map((home) => exportCommand(home, authority));
  return `Codex still has the former key, ${ends}; give it the new one: ${commands.join("; ")}`;
}
