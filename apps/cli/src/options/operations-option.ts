import {
  createOperationsListener,
  createProxyMetrics,
  type ProxyMetrics,
} from "@countersign/assertion-proxy";
import { parseListenAddress } from "../config/listen-address.js";
import type { Run } from "../config/run.js";

/** The options of servers that have a listener for those who run them. */
export interface OperationsOptions {
  readonly operationsListen?: string;
}

/** A listener for probes and figures, if one was asked for. */
export interface Operations extends AsyncDisposable {
  /** What the server is to tell its figures to; absent where nobody reads them. */
  readonly metrics: ProxyMetrics | undefined;
  /** Members of the document that `--json` prints of the server. */
  readonly described: Readonly<Record<string, unknown>>;
}

const OPTION = "--operations-listen";

/**
 * Listens where `--operations-listen` says, and tells on stderr where that is. To be opened before the server itself: until that listens,
 * `/readyz` says so.
 *
 * @param isReady - whether the server takes requests
 * @throws {CliError} `usage` when it is no address
 * @throws {AssertionProxyError} `address_in_use`, `config_invalid`
 */
export async function openOperations(
  run: Run,
  { operationsListen }: OperationsOptions,
  isReady: () => boolean,
): Promise<Operations> {
  if (operationsListen === undefined) {
    return { metrics: undefined, described: {}, async [Symbol.asyncDispose]() {} };
  }
  const address = parseListenAddress(operationsListen, OPTION);
  const metrics = createProxyMetrics();
  const listener = createOperationsListener({ metrics, isReady });
  const { url } = await listener.listen(address);
  run.output.note(`operations on ${url}`);
  return {
    metrics,
    described: { operations: url },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}
