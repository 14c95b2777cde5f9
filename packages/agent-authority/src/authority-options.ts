import {
  parseTrustedProxies,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import { numberIn, parseAuthority } from "@countersign/agent-key";
import { AgentAuthorityError } from "./agent-authority-error.js";
import type { AuthorityOptions, RegistrationProofPolicy } from "./authority-types.js";
import type { AuthorityContext } from "./http/authority-context.js";
import { checkIssuers } from "./humans/check-issuers.js";
import { RateLimiter } from "./limits/rate-limiter.js";
import { resolveRateLimits } from "./limits/rate-limits.js";
import { resolveServerLimits } from "./limits/server-limits.js";
import { AUTHORITY_OPTIONS, checkOptions } from "./option-checks.js";
import { checkGenerations } from "./registry/generations.js";
import { AGENT_NUMBERS, DEFAULT_LIVE_AGENTS, TTL } from "./registry/registry-options.js";
import { MAX_TTL_SECONDS } from "./registry/times.js";

const DEFAULT_LIVE_TASKS = 10_000;
const DEFAULT_SKEW_SECONDS = 300;
// Far longer than verifiers keep what they looked up, and a use is written at most once in a tenth of it.
const MIN_IDLE_SECONDS = 600;
const CAPABILITY = /^[\x21-\x7e]{1,256}$/;

const NUMBERS = {
  taskTtlSeconds: TTL,
  taskIdleTtlSeconds: numberIn(MIN_IDLE_SECONDS, MAX_TTL_SECONDS),
  maxLiveTasks: numberIn(1, 10_000_000),
  maxSkewSeconds: numberIn(1, 3_600),
};

/** Checks the options of an authority and fills in their defaults. Throws `config_invalid`. */
export function checkAuthorityOptions(options: AuthorityOptions): AuthorityContext {
  checkOptions(options, { ...AUTHORITY_OPTIONS, ...AGENT_NUMBERS, ...NUMBERS });
  const { store, humans = [], capabilities = [], now = store.now, logger } = options;
  checkIssuers(humans);
  for (const capability of capabilities) {
    if (!CAPABILITY.test(capability)) throw invalid("capabilities", "hold visible ASCII alone");
  }
  return {
    store,
    humans,
    publicUrl:
      options.publicUrl === undefined
        ? undefined
        : parseAuthority(options.publicUrl, {}, "publicUrl"),
    generations: checkGenerations(options.generations),
    registrationProof: checkProofPolicy(options.registrationProof ?? "accept"),
    agentPolicy: {
      capabilities,
      agentTtlSeconds: options.agentTtlSeconds,
      maxLiveAgents: options.maxLiveAgents ?? DEFAULT_LIVE_AGENTS,
    },
    taskPolicy: {
      taskTtlSeconds: options.taskTtlSeconds,
      taskIdleTtlSeconds: options.taskIdleTtlSeconds,
      maxLiveTasks: options.maxLiveTasks ?? DEFAULT_LIVE_TASKS,
    },
    maxSkewSeconds: options.maxSkewSeconds ?? DEFAULT_SKEW_SECONDS,
    limiter: new RateLimiter(store, resolveRateLimits(options.rateLimits ?? {}), now),
    limits: resolveServerLimits(options.limits ?? {}),
    trustedProxies: checkProxies(options.trustedProxies ?? []),
    now,
    logger,
    observer: options.metrics?.observer,
  };
}

function checkProxies(list: readonly string[]): TrustedProxies {
  const proxies = parseTrustedProxies(list);
  if (proxies !== undefined) return proxies;
  throw invalid("trustedProxies", "hold IP addresses and networks such as 10.0.0.0/8");
}

function checkProofPolicy(policy: string): RegistrationProofPolicy {
  if (policy === "accept" || policy === "require") return policy;
  throw invalid("registrationProof", "be accept or require");
}

function invalid(name: string, rule: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", `${name} must ${rule}`, {
    hint: "correct the configuration of the authority",
  });
}
