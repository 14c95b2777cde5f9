import {
  parseTrustedProxies,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import { parseAuthority } from "@countersign/agent-key";
import { AgentAuthorityError } from "./agent-authority-error.js";
import type { AuthorityOptions, Generation, RegistrationProofPolicy } from "./authority-types.js";
import type { AuthorityContext } from "./http/authority-context.js";
import { checkIssuers } from "./humans/check-issuers.js";
import { RateLimiter } from "./limits/rate-limiter.js";
import { type RateLimitOptions, type RateLimits, resolveRateLimits } from "./limits/rate-limits.js";
import {
  resolveServerLimits,
  type ServerLimitOptions,
  type ServerLimits,
} from "./limits/server-limits.js";
import { AUTHORITY_OPTIONS, checkOptions } from "./option-checks.js";
import type { IdentityPolicy } from "./registry/issue-identity.js";
import { MAX_TTL_SECONDS } from "./registry/times.js";

const DEFAULT_LIVE_AGENTS = 100;
const DEFAULT_LIVE_TASKS = 10_000;
const DEFAULT_SKEW_SECONDS = 300;
// Far longer than verifiers keep what they looked up, and a use is written at most once in a tenth of it.
const MIN_IDLE_SECONDS = 600;
const GENERATIONS: readonly Generation[] = ["A", "B", "C"];
// B is for who asks for it: its keys are made here and travel (security.md).
const DEFAULT_GENERATIONS: readonly Generation[] = ["A", "C"];
const CAPABILITY = /^[\x21-\x7e]{1,256}$/;

/** Checks the options of an authority and fills in their defaults. Throws `config_invalid`. */
export function checkAuthorityOptions(options: AuthorityOptions): AuthorityContext {
  checkOptions(options, AUTHORITY_OPTIONS);
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
    generations: checkGenerations(options.generations ?? DEFAULT_GENERATIONS),
    registrationProof: checkProofPolicy(options.registrationProof ?? "accept"),
    agentPolicy: {
      capabilities,
      agentTtlSeconds: checkRange("agentTtlSeconds", options.agentTtlSeconds, MAX_TTL_SECONDS),
      maxLiveAgents:
        checkRange("maxLiveAgents", options.maxLiveAgents, 1_000_000) ?? DEFAULT_LIVE_AGENTS,
    },
    taskPolicy: {
      taskTtlSeconds: checkRange("taskTtlSeconds", options.taskTtlSeconds, MAX_TTL_SECONDS),
      taskIdleTtlSeconds: checkRange(
        "taskIdleTtlSeconds",
        options.taskIdleTtlSeconds,
        MAX_TTL_SECONDS,
        MIN_IDLE_SECONDS,
      ),
      maxLiveTasks:
        checkRange("maxLiveTasks", options.maxLiveTasks, 10_000_000) ?? DEFAULT_LIVE_TASKS,
    },
    maxSkewSeconds:
      checkRange("maxSkewSeconds", options.maxSkewSeconds, 3_600) ?? DEFAULT_SKEW_SECONDS,
    limiter: new RateLimiter(store, checkRateLimits(options.rateLimits ?? {}), now),
    limits: checkLimits(options.limits ?? {}),
    trustedProxies: checkProxies(options.trustedProxies ?? []),
    now,
    logger,
    observer: options.metrics?.observer,
    refusalCodes: new WeakMap(),
  };
}

/** Checks the options of a registry that serves its operator alone. Throws `config_invalid`. */
export function checkRegistryOptions(
  options: Pick<AuthorityOptions, "generations" | "agentTtlSeconds" | "maxLiveAgents">,
): IdentityPolicy {
  return {
    isServed: checkGenerations(options.generations ?? DEFAULT_GENERATIONS).has("B"),
    agentTtlSeconds: checkRange("agentTtlSeconds", options.agentTtlSeconds, MAX_TTL_SECONDS),
    maxLiveAgents:
      checkRange("maxLiveAgents", options.maxLiveAgents, 1_000_000) ?? DEFAULT_LIVE_AGENTS,
  };
}

function checkProxies(list: readonly string[]): TrustedProxies {
  const proxies = parseTrustedProxies(list);
  if (proxies !== undefined) return proxies;
  throw invalid("trustedProxies", "holds IP addresses and networks such as 10.0.0.0/8");
}

function checkRateLimits(options: RateLimitOptions | "off"): RateLimits {
  const limits = resolveRateLimits(options);
  if (typeof limits !== "string") return limits;
  throw invalid(limits, "is a whole number from 1 to 10000000, or off");
}

function checkLimits(options: ServerLimitOptions): ServerLimits {
  const limits = resolveServerLimits(options);
  if (typeof limits !== "string") return limits;
  throw invalid(
    limits,
    "is a whole number from 1 up, and a head's time no longer than its request's",
  );
}

function checkGenerations(generations: readonly string[]): ReadonlySet<Generation> {
  const known = new Set<string>(GENERATIONS);
  if (generations.length === 0 || generations.some((generation) => !known.has(generation))) {
    throw invalid("generations", `names one or more of ${GENERATIONS.join(", ")}`);
  }
  return new Set(GENERATIONS.filter((generation) => generations.includes(generation)));
}

function checkProofPolicy(policy: string): RegistrationProofPolicy {
  if (policy === "accept" || policy === "require") return policy;
  throw invalid("registrationProof", "is accept or require");
}

function checkRange(
  name: string,
  value: number | undefined,
  max: number,
  min = 1,
): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max))
    return value;
  throw invalid(name, `is a whole number from ${min} to ${max}`);
}

function invalid(name: string, rule: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", `the option ${name} ${rule}`, {
    hint: "correct the configuration of the authority",
  });
}
