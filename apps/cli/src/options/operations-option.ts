import {
  createOperationsListener,
  createProxyMetrics,
  type OperationsListenerOptions,
  type ProxyMetrics,
} from "@countersign/assertion-proxy";
import { parseListenAddress } from "../config/listen-address.js";
import type { Run } from "../config/run.js";

/** The options of servers that have a listener for their operators. */
export interface OperationsOptions {
  readonly operationsListen?: string | undefined;
}

/** A listener for probes and figures, if one was asked for. */
export interface Operations extends AsyncDisposable {
  /** Takes the server's figures; absent without `--operations-listen`. */
  readonly metrics: ProxyMetrics | undefined;
  /** Members of the document that `--json` prints of the server. */
  readonly described: Readonly<Record<string, unknown>>;
}

const OPTION = "--operations-listen";

/**
 * Listens at the address of `--operations-listen` and prints its URL on stderr. Open it before the server itself: `/readyz` then answers
 * "not ready" until the server listens.
 *
 * @param server - whether it takes requests, and what signs for its upstream
 * @throws {CliError} `usage` if the address is not valid
 * @throws {AssertionProxyError} `address_in_use`, `config_invalid`
 */
export async function openOperations(
  run: Run,
  { operationsListen }: OperationsOptions,
  server: Pick<OperationsListenerOptions, "isReady" | "callerTokens">,
): Promise<Operations> {
  if (operationsListen === undefined) {
    return { metrics: undefined, described: {}, async [Symbol.asyncDispose]() {} };
  }
  const address = parseListenAddress(operationsListen, OPTION);
  const metrics = createProxyMetrics();
  const listener = createOperationsListener({ ...server, metrics });
  const { url } = await listener.listen(address);
  run.output.note(`operations on ${url}`);
  return {
    metrics,
    described: { operations: url },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}
