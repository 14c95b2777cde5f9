import { formatTimestamp } from "@countersign/agent-key";
import { openAgentSession, requireFeature, requireLogin } from "../agent-session.js";
import { CliError } from "../cli-error.js";
import { formatColumns } from "../output.js";
import { withProgress } from "../progress.js";
import type { Run } from "../run.js";
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
  const described = { ...describeIdentity(identity), former_key_ends_at: ends };
  run.output.result(described, () =>
    formatColumns(
      Object.entries({
        ...described,
        former_key_ends_at:
          ends === null ? "it has ended" : `${ends}, or with the first use of the new one`,
      }),
    ),
  );
}
