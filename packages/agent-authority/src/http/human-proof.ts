import { BISCUIT_HEADER } from "@countersign/agent-identity/server";
import { authenticateHuman } from "../humans/authenticate-human.js";
import { confirmToken } from "../registry/authenticate.js";
import { findBiscuit, spendBiscuit, type UsableBiscuit } from "../registry/biscuits.js";
import type { Principal } from "../registry/principal.js";
import { Refusal } from "../registry/refusal.js";
import type { Instant } from "../registry/times.js";
import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import type { AuthorityContext } from "./authority-context.js";
import { type HeaderLines, readBearerToken, readSingleHeader } from "./read-headers.js";

/** Proof of the human behind a registration. */
export interface HumanProof {
  readonly principal: Principal;
  /**
   * Takes what can be used once, and looks whether the rest still holds, in the transaction of the registration. Throws `biscuit_invalid` or
   * `unauthenticated`.
   */
  spend(rows: Rows): Promise<void>;
}

/**
 * Checks the human's proof of an agent registration: a bearer token (generation C) or a biscuit (A), never both.
 *
 * Throws `invalid_request` for both; `unauthenticated` or `biscuit_invalid` for one that is not valid or not served, and for none.
 */
export async function checkAgentRegistrationProof(
  context: AuthorityContext,
  headers: HeaderLines,
  target: string,
  instant: Instant,
): Promise<HumanProof> {
  const biscuit = readBiscuit(context, headers);
  if (biscuit !== undefined) return checkBiscuit(context, biscuit, target, instant);
  if (!context.generations.has("C")) throw biscuitMissing();
  const token = readBearerToken(headers);
  const principal = await authenticateHuman(context, token, instant);
  return { principal, spend: (rows) => confirmToken(rows, principal, instant) };
}

/**
 * Checks the human's proof of a task registration: none, or a biscuit. The agent's signature is what counts; a bearer token has no business
 * there (protocol §5.5). Who may come without a biscuit, {@link checkTaskGeneration} says once the agent is known.
 *
 * Throws `invalid_request` for an Authorization header, `biscuit_invalid`.
 */
export async function checkTaskRegistrationProof(
  context: AuthorityContext,
  headers: HeaderLines,
  target: string,
  instant: Instant,
): Promise<HumanProof | undefined> {
  const biscuit = readBiscuit(context, headers);
  if (headers.authorization !== undefined) {
    throw new Refusal("invalid_request", "a task registration takes no Authorization header");
  }
  if (biscuit !== undefined) return checkBiscuit(context, biscuit, target, instant);
  const { generations } = context;
  if (!generations.has("B") && !generations.has("C")) throw biscuitMissing();
  return undefined;
}

/**
 * Checks that the clients of an agent's generation are served: those of identity JWTs (B), and those without a biscuit (C).
 *
 * Throws `forbidden` for an agent of an identity JWT, `biscuit_invalid` for another.
 */
export function checkTaskGeneration(
  { generations }: AuthorityContext,
  agent: Pick<AgentRow, "generation">,
  proof: HumanProof | undefined,
): void {
  if (agent.generation === "B") {
    if (generations.has("B")) return;
    throw new Refusal("forbidden", "agents of identity JWTs are not served here");
  }
  if (proof === undefined && !generations.has("C")) throw biscuitMissing();
}

function biscuitMissing(): Refusal {
  return new Refusal("biscuit_invalid", "a registration takes a biscuit here");
}

function readBiscuit(context: AuthorityContext, headers: HeaderLines): string | undefined {
  const biscuit = readSingleHeader(headers, BISCUIT_HEADER);
  if (biscuit === undefined) return undefined;
  if (headers.authorization !== undefined) {
    throw new Refusal("invalid_request", "send a biscuit or a bearer token, not both");
  }
  if (!context.generations.has("A")) {
    throw new Refusal("biscuit_invalid", "biscuits are not taken here");
  }
  return biscuit;
}

async function checkBiscuit(
  context: AuthorityContext,
  biscuit: string,
  target: string,
  instant: Instant,
): Promise<HumanProof> {
  const binding = { method: "POST", target };
  const usable: UsableBiscuit = await findBiscuit(context.store.rows, biscuit, binding, instant);
  return { principal: usable, spend: (rows) => spendBiscuit(rows, usable, instant) };
}
