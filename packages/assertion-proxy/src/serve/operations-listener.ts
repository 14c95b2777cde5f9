import type { OptionShape } from "@countersign/agent-key";
import {
  listenForOperations,
  type OperationsListener,
} from "@countersign/agent-key/operations-listener";
import type { CallerTokens } from "../caller-token/caller-tokens.js";
import type { ProxyMetrics } from "../exchange/proxy-metrics.js";
import { CALLER_TOKENS, checkOptions, METRICS } from "../limits/option-checks.js";
import { listenOn } from "./listen-on.js";

const READINESS: OptionShape = {
  type: "function",
  expected: "a function, for instance () => gateway.isReady()",
};

/** Options of {@link createOperationsListener}. */
export interface OperationsListenerOptions {
  /** The same that the proxy was made with. */
  readonly metrics: ProxyMetrics;
  /** Whether the proxy takes requests; its own `isReady`. */
  readonly isReady: () => boolean;
  /** The same that the gateway was made with: their keys are shown at `/.well-known/jwks.json`. Default none. */
  readonly callerTokens?: CallerTokens | undefined;
}

/**
 * Makes the listener for probes and figures, apart from the one that agents reach:
 *
 * - `/healthz` is 200 as long as the process answers;
 * - `/readyz` is 200 while the proxy takes requests, 503 before it listens and from its `close` on. It asks neither the upstream nor the
 *   directory: all instances would leave the load balancer together, and clients would lose the answers that say what is wrong;
 * - `/metrics` are the figures in the text format of Prometheus.
 *
 * `/.well-known/jwks.json` are the keys of caller tokens, for upstreams, where there are `callerTokens`.
 *
 * A connection that is silent for 10 seconds is closed. Of more than 64 the oldest one makes room.
 *
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function createOperationsListener(options: OperationsListenerOptions): OperationsListener {
  checkOptions(options, {
    metrics: METRICS,
    isReady: READINESS,
    callerTokens: CALLER_TOKENS,
  });
  const { metrics, isReady, callerTokens } = options;
  const documents = callerTokens && {
    "/.well-known/jwks.json": {
      contentType: "application/jwk-set+json",
      render: () => callerTokens.jwks(),
    },
  };
  return listenForOperations({ metrics, isReady, listenOn, documents });
}
