import { publicLineOf } from "@countersign/agent-identity";
import { exportCommand, outdatedCodexHomes } from "../codex/codex-copies.js";
import { findLoginAgent } from "../codex/login-agent.js";
import type { Run } from "../config/run.js";
import { askDirectory } from "../directory/directory-word.js";
import type { AgentSession } from "../session/agent-session.js";
import { fail, ok, type Verdict, warn } from "./finding.js";

const FINISH = "countersign identity rotate";
// The newer key is in the home that rotated it: looking there loses nothing.
const TAKE_OVER =
  "take the newer key from the Codex home that holds it: countersign identity import; or use the home that rotated it";

/** Compares the key of this machine's agent with those that the authority's directory names. Without an agent there is nothing to compare. */
export async function checkKey(run: Run, session: AgentSession): Promise<Verdict | undefined> {
  const identity = await session.identities.peek();
  if (identity === undefined) return undefined;
  const { agentRuntimeId, authority, key } = identity;
  const entry = findLoginAgent(await session.store.load())?.entry;
  const nextKey = entry?.next_private_key ?? entry?.next_public_key;
  const next = { private_key: entry?.next_private_key, public_key: entry?.next_public_key };
  const nextLine = nextKey === undefined ? undefined : publicLineOf(next);
  const unfinished = warn("a rotation of the key is not finished", FINISH);
  const word = await askDirectory(run, authority, agentRuntimeId);
  if (word.kind === "untold") {
    if (nextKey !== undefined) return unfinished;
    return ok("not compared: the authority's directory takes a token of role resource_server");
  }
  if (word.kind === "unknown") {
    return fail(
      `the authority does not know the agent ${agentRuntimeId}`,
      "check that the authority is the one that the agent is registered with; if it is, the next request registers another agent",
    );
  }
  const { state, publicKeys } = word.record;
  if (state === "revoked") {
    return fail(
      `the authority has revoked the agent ${agentRuntimeId}`,
      "to work with a new one: countersign identity forget, then countersign identity ensure",
    );
  }
  const lines = publicKeys.map(({ line }) => line);
  const place = lines.indexOf(key.publicKey.line);
  if (place === 0) return nextKey === undefined ? ok("the agent's newest key") : unfinished;
  if (nextLine !== undefined && lines.includes(nextLine)) {
    const message = "the new key of a rotation that is not finished is the agent's newest one";
    return place > 0 ? warn(message, FINISH) : fail(`${message}; the stored key has ended`, FINISH);
  }
  if (place > 0) {
    return warn(
      "the key was rotated elsewhere; the stored one ends with the first use of the newer one, or within 24 hours of the rotation",
      TAKE_OVER,
    );
  }
  return fail(
    "the stored key is not one of the agent's: it was rotated elsewhere and has ended",
    TAKE_OVER,
  );
}

/** Looks at the Codex homes that the agent was imported from or exported to. Without one there is nothing to look at. */
export async function checkCodexHomes({ store }: AgentSession): Promise<Verdict | undefined> {
  const own = findLoginAgent(await store.load());
  const homes = own?.entry.codex_homes ?? [];
  if (own === undefined || homes.length === 0) return undefined;
  const outdated = await outdatedCodexHomes(own.entry);
  if (outdated.length === 0) return ok(homes.join(", "));
  return warn(
    `another key of the agent than the stored one is in ${outdated.join(", ")}`,
    outdated.map((home) => exportCommand(home, own.login.authority)).join("; "),
  );
}
