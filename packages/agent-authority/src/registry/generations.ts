import { AgentAuthorityError } from "../agent-authority-error.js";

/** A generation of clients: `A` proves its human by biscuit, `C` by bearer; to `B` its agent is given, key and all, in an identity JWT. */
export type Generation = "A" | "B" | "C";

const GENERATIONS: readonly Generation[] = ["A", "B", "C"];
// B is for who asks for it: its keys are made here and travel (security.md).
const DEFAULT_GENERATIONS: readonly Generation[] = ["A", "C"];

/** Checks which clients are to be served, and fills in the default. Throws `config_invalid`. */
export function checkGenerations(
  generations: readonly string[] = DEFAULT_GENERATIONS,
): ReadonlySet<Generation> {
  const known = new Set<string>(GENERATIONS);
  if (generations.length > 0 && generations.every((generation) => known.has(generation))) {
    return new Set(GENERATIONS.filter((generation) => generations.includes(generation)));
  }
  throw new AgentAuthorityError(
    "config_invalid",
    `generations must name one or more of ${GENERATIONS.join(", ")}`,
    { hint: "correct the configuration of the authority" },
  );
}
