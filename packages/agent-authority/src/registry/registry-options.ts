import { numberIn } from "@countersign/agent-key";
import { checkOptions } from "../option-checks.js";
import { checkGenerations, type Generation } from "./generations.js";
import type { IdentityPolicy } from "./issue-identity.js";
import { createLiveLimits, type LiveLimitOptions, type LiveLimitSources } from "./live-limits.js";
import { MAX_TTL_SECONDS } from "./times.js";

export const TTL = numberIn(1, MAX_TTL_SECONDS);

/** Checks the options of a registry that serves its operator alone. Throws `config_invalid`. */
export function checkRegistryOptions(
  options: {
    readonly generations?: readonly Generation[] | undefined;
    readonly agentTtlSeconds?: number | undefined;
  } & Pick<LiveLimitOptions, "maxLiveAgents"> &
    LiveLimitSources,
): IdentityPolicy {
  checkOptions(options, { agentTtlSeconds: TTL });
  return {
    isServed: checkGenerations(options.generations).has("B"),
    agentTtlSeconds: options.agentTtlSeconds,
    limitsOf: createLiveLimits(options),
  };
}
