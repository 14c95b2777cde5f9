import {
  parseTrustedProxies,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import { numberIn, parseAuthority } from "@countersign/agent-key";
import { AgentAuthorityError } from "./agent-authority-error.js";
import type { AuthorityOptions, RegistrationProofPolicy } from "./authority-types.js";
import type { AuthorityContext } from "./http/authority-context.js";
import { checkIssuers } from "./humans/check-issuers.js";
import { KnownCallers } from "./limits/known-callers.js";
import { RateLimiter } from "./limits/rate-limiter.js";
import { resolveRateLimits } from "./limits/rate-limits.js";
import { resolveServerLimits } from "./limits/server-limits.js";
import { AUTHORITY_OPTIONS, checkOptions } from "./option-checks.js";
import { checkGenerations } from "./registry/generations.js";
import { createLiveLimits } from "./registry/live-limits.js";
import { TTL } from "./registry/registry-options.js";
import { MAX_TTL_SECONDS } from "./registry/times.js";

const DEFAULT_EPHEMERAL_TTL_SECONDS = 21_600;
const MAX_EPHEMERAL_TTL_SECONDS = 604_800;
const DEFAULT_SKEW_SECONDS = 300;
// Far longer than verifiers keep what they looked up, and a use is written at most once in a tenth of it.
const MIN_IDLE_SECONDS = 600;
const CAPABILITY = /^[\x21-\x7e]{1,256}$/;

const NUMBERS = {
  agentTtlSeconds: TTL,
  maxEphemeralTtlSeconds: numberIn(1, MAX_EPHEMERAL_TTL_SECONDS),
  taskTtlSeconds: TTL,
  taskIdleTtlSeconds: numberIn(MIN_IDLE_SECONDS, MAX_TTL_SECONDS),
  maxSkewSeconds: numberIn(1, 3_600),
};

/** Checks the options of an authority and fills in their defaults. Throws `config_invalid`. */
export function checkAuthorityOptions(options: AuthorityOptions): AuthorityContext {
  checkOptions(options, { ...AUTHORITY_OPTIONS, ...NUMBERS });
  const { store, humans = [], capabilities = [], now = store.now, logger } = options;
  checkIssuers(humans);
  const limitsOf = createLiveLimits(options);
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
    plainTaskIds: checkPlainPolicy(options.plainTaskIds ?? "accept"),
    agentPolicy: {
      capabilities,
      agentTtlSeconds: options.agentTtlSeconds,
      maxEphemeralTtlSeconds: options.maxEphemeralTtlSeconds ?? DEFAULT_EPHEMERAL_TTL_SECONDS,
      limitsOf,
    },
    taskPolicy: {
      taskTtlSeconds: options.taskTtlSeconds,
      taskIdleTtlSeconds: options.taskIdleTtlSeconds,
      limitsOf,
    },
    maxSkewSeconds: options.maxSkewSeconds ?? DEFAULT_SKEW_SECONDS,
    limiter: new RateLimiter(store, resolveRateLimits(options.rateLimits ?? {}), now),
    knownCallers: new KnownCallers(),
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

function checkPlainPolicy(policy: string): AuthorityContext["plainTaskIds"] {
  if (policy === "accept" || policy === "refuse") return policy;
  throw invalid("plainTaskIds", "be accept or refuse");
}

function invalid(name: string, rule: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", `${name} must ${rule}`, {
    hint: "correct the configuration of the authority",
  });
}
