import { numberIn } from "@countersign/agent-key";
import { checkOptions } from "../option-checks.js";
import { checkGenerations, type Generation } from "./generations.js";
import type { IdentityPolicy } from "./issue-identity.js";
import { MAX_TTL_SECONDS } from "./times.js";

export const DEFAULT_LIVE_AGENTS = 100;

export const TTL = numberIn(1, MAX_TTL_SECONDS);
/** What the numbers must be that bound agents. */
export const AGENT_NUMBERS = { agentTtlSeconds: TTL, maxLiveAgents: numberIn(1, 1_000_000) };

/** Checks the options of a registry that serves its operator alone. Throws `config_invalid`. */
export function checkRegistryOptions(options: {
  readonly generations?: readonly Generation[] | undefined;
  readonly agentTtlSeconds?: number | undefined;
  readonly maxLiveAgents?: number | undefined;
}): IdentityPolicy {
  checkOptions(options, AGENT_NUMBERS);
  return {
    isServed: checkGenerations(options.generations).has("B"),
    agentTtlSeconds: options.agentTtlSeconds,
    maxLiveAgents: options.maxLiveAgents ?? DEFAULT_LIVE_AGENTS,
  };
}
