import type { OptionShape } from "@countersign/agent-key";
import { MAX_LIMIT } from "../operations/read-pages.js";
import type { Registry } from "../operations/registry-types.js";
import { toRegistry } from "../operations/to-registry.js";
import {
  CLOCK,
  checkOption,
  checkOptions,
  LIVE_LIMIT_SOURCES,
  listOf,
  STORE,
} from "../option-checks.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { createAdminFunctions } from "./admin-functions.js";
import type { AuditOrigin } from "./audit-stamp.js";
import type { Generation } from "./generations.js";
import type { LiveLimitSources } from "./live-limits.js";
import { checkRegistryOptions } from "./registry-options.js";

const ORIGIN: OptionShape = {
  type: "object",
  members: { actor: "string" },
  expected: 'an AuditOrigin, for instance { actor: "operator" }',
  optional: true,
};

/** Options of {@link createRegistry}. */
export interface RegistryOptions extends LiveLimitSources {
  /** The clock, epoch milliseconds. Default that of the store. */
  readonly now?: (() => number) | undefined;
  /** Which clients the authority serves: the same value as the authority's own option. Default A and C: no identity JWTs are issued. */
  readonly generations?: readonly Generation[] | undefined;
  /** Seconds that an agent of an identity JWT lives at most. Range 1 to 315,360,000. Default: as long as it is issued for. */
  readonly agentTtlSeconds?: number | undefined;
  /** Live agents of one user in one account, without ephemeral ones. Range 1 to 1,000,000. Default 100. */
  readonly maxLiveAgents?: number | undefined;
  /** The actor and the address that the audit log records. Default `{ actor: "operator" }`. */
  readonly origin?: AuditOrigin | undefined;
}

/**
 * Gives an operator the registry in a store. A running authority on the same database sees each change at its next request.
 *
 * @throws {AgentAuthorityError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 */
export function createRegistry(store: AuthorityStore, options: RegistryOptions = {}): Registry {
  checkOption("store", store, STORE);
  checkOptions(options, {
    now: CLOCK,
    generations: listOf("A, B and C"),
    origin: ORIGIN,
    ...LIVE_LIMIT_SOURCES,
  });
  const { now = store.now, origin = { actor: "operator" } } = options;
  const identityPolicy = checkRegistryOptions(options);
  return toRegistry(createAdminFunctions(store, { now, identityPolicy, origin }), MAX_LIMIT);
}
