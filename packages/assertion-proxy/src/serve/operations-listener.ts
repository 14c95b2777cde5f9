import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { OptionShape } from "@countersign/agent-key";
import type { ProxyMetrics } from "../exchange/proxy-metrics.js";
import { checkOptions, METRICS } from "../limits/option-checks.js";
import { boundConnections } from "./bound-connections.js";
import { type ListenOptions, listenOn } from "./listen-on.js";

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
}

/** A listener of its own for those who run a proxy. */
export interface OperationsListener {
  /**
   * Listens for plain HTTP/1.1, on `127.0.0.1` unless another `host` is given. Nothing that is answered is a secret or names an agent,
   * and nothing asks who reads it.
   *
   * @returns the base URL, with the port that was taken
   * @throws {AssertionProxyError} `address_in_use`; `config_invalid` for an address that cannot be listened on
   */
  listen(options: {
    readonly host?: string | undefined;
    readonly port: number;
  }): Promise<{ url: string }>;
  /** Closes it at once. To be called after the proxy's own `close`: until then `/readyz` tells that it drains. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const MAX_HEAD_BYTES = 16_384;

/**
 * Makes the listener for probes and figures, apart from the one that agents reach:
 *
 * - `/healthz` is 200 as long as the process answers;
 * - `/readyz` is 200 while the proxy takes requests, 503 before it listens and from its `close` on. It asks neither the upstream nor the
 *   directory: all instances would leave the load balancer together, and clients would lose the answers that say what is wrong;
 * - `/metrics` are the figures in the text format of Prometheus.
 *
 * A connection that is silent for 10 seconds is closed. Of more than 64 the oldest one makes room.
 *
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function createOperationsListener(options: OperationsListenerOptions): OperationsListener {
  checkOptions(options, { metrics: METRICS, isReady: READINESS });
  const { metrics, isReady } = options;
  const server: Server = createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    void answer(request, response);
  });
  boundConnections(server);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      send(response, 405, "use GET\n", { allow: "GET, HEAD", connection: "close" });
      return;
    }
    switch ((request.url ?? "").split("?", 1)[0]) {
      case "/healthz":
        send(response, 200, "ok\n");
        return;
      case "/readyz":
        if (isReady()) send(response, 200, "ready\n");
        else send(response, 503, "not ready\n");
        return;
      case "/metrics":
        try {
          send(response, 200, await metrics.render(), { "content-type": metrics.contentType });
        } catch {
          send(response, 500, "the figures cannot be shown\n");
        }
        return;
      default:
        send(response, 404, "not here\n");
    }
  }

  return {
    listen: ({ host = LOOPBACK, port }) => listenOn(server, { host, port } satisfies ListenOptions),
    async close() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    "content-length": body.length,
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...fields,
  });
  response.end(body);
}
