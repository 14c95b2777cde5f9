import type { TrustedProxies } from "@countersign/agent-assertion/client-address";
import type { AuthorityLogger, RegistrationProofPolicy } from "../authority-types.js";
import type { HumanIssuer } from "../humans/human-issuer.js";
import type { KnownCallers } from "../limits/known-callers.js";
import type { RateLimiter } from "../limits/rate-limiter.js";
import type { ServerLimits } from "../limits/server-limits.js";
import type { AuthorityObserver } from "../observe/authority-metrics.js";
import type { Generation } from "../registry/generations.js";
import type { AgentPolicy } from "../registry/register-agent.js";
import type { TaskPolicy } from "../registry/register-task.js";
import type { AuthorityStore } from "../store/authority-store.js";

/** What every route works with: the checked options of an authority. */
export interface AuthorityContext {
  readonly store: AuthorityStore;
  /** Besides the authority's own access tokens. */
  readonly humans: readonly HumanIssuer[];
  /** Normalised. */
  readonly publicUrl: string | undefined;
  readonly generations: ReadonlySet<Generation>;
  readonly registrationProof: RegistrationProofPolicy;
  readonly plainTaskIds: "accept" | "refuse";
  readonly agentPolicy: AgentPolicy;
  readonly taskPolicy: TaskPolicy;
  readonly maxSkewSeconds: number;
  readonly trustedProxies: TrustedProxies;
  readonly limiter: RateLimiter;
  readonly knownCallers: KnownCallers;
  readonly limits: ServerLimits;
  readonly now: () => number;
  readonly logger: AuthorityLogger | undefined;
  readonly observer: AuthorityObserver | undefined;
}
