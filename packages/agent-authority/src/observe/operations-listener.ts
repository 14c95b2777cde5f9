import type { OptionShape } from "@countersign/agent-key";
import {
  listenForOperations,
  type OperationsListener,
} from "@countersign/agent-key/operations-listener";
import { listenOn, urlOf } from "../listen.js";
import { checkOptions, METRICS } from "../option-checks.js";
import type { AuthorityMetrics } from "./authority-metrics.js";

const READINESS: OptionShape = {
  type: "function",
  expected: "a function, for instance () => authority.isReady()",
};

/** Options of {@link createOperationsListener}. */
export interface OperationsListenerOptions {
  /** The same that the authority was made with. */
  readonly metrics: AuthorityMetrics;
  /** Whether the authority takes requests; its own `isReady`. */
  readonly isReady: () => Promise<boolean>;
}

/**
 * Makes the listener for probes and figures, apart from the one that clients reach:
 *
 * - `/healthz` is 200 as long as the process answers;
 * - `/readyz` is 200 while the authority takes requests and its database answers, else 503;
 * - `/metrics` are the figures in the text format of Prometheus.
 *
 * A connection that is silent for 10 seconds is closed. Of more than 64 the oldest one makes room.
 *
 * @throws {AgentAuthorityError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function createOperationsListener(options: OperationsListenerOptions): OperationsListener {
  checkOptions(options, { metrics: METRICS, isReady: READINESS });
  const { metrics, isReady } = options;
  return listenForOperations({
    metrics,
    isReady,
    async listenOn(server, where) {
      await listenOn(server, where);
      return { url: urlOf(server) };
    },
  });
}
