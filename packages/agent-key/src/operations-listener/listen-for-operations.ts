import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { boundConnections } from "./bound-connections.js";

/** What a server shows to those who run it. */
export interface Operations {
  readonly metrics: {
    /** Gives the figures as a text. */
    render(): Promise<string>;
    readonly contentType: string;
  };
  /** Whether it takes requests. */
  readonly isReady: () => boolean | Promise<boolean>;
  /** Further documents by path: public ones, open to every program that reaches the listener. */
  readonly documents?:
    | Readonly<Record<string, { readonly contentType: string; readonly render: () => string }>>
    | undefined;
  /** Makes the listener's server listen, and gives its base URL. */
  readonly listenOn: (
    server: Server,
    where: { readonly host: string; readonly port: number },
  ) => Promise<{ readonly url: string }>;
}

/** A listener of its own for those who run a server. */
export interface OperationsListener {
  /**
   * Listens for plain HTTP/1.1, on `127.0.0.1` unless another `host` is given. No answer has a secret or names an agent, and the listener does
   * not authenticate its clients.
   *
   * @returns the base URL, with the port that was taken
   * @throws {CountersignError} `address_in_use`; `config_invalid` for an address that cannot be listened on
   */
  listen(options: {
    readonly host?: string | undefined;
    readonly port: number;
  }): Promise<{ readonly url: string }>;
  /** Closes the listener at once. Call it after the server's own `close`: until then `/readyz` reports that the server drains. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const MAX_HEAD_BYTES = 16_384;

/**
 * Makes the listener for probes and figures, apart from the one that clients reach:
 *
 * - `/healthz` is 200 as long as the process answers;
 * - `/readyz` is 200 while the server is ready, else 503;
 * - `/metrics` are the figures in the text format of Prometheus.
 *
 * A connection that is silent for 10 seconds is closed. Of more than 64 the oldest one makes room.
 */
export function listenForOperations({
  metrics,
  isReady,
  listenOn,
  documents = {},
}: Operations): OperationsListener {
  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
    void answer(request, response);
  });
  boundConnections(server);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      send(response, 405, "use GET\n", { allow: "GET, HEAD", connection: "close" });
      return;
    }
    const [path = ""] = (request.url ?? "").split("?", 1);
    if (Object.hasOwn(documents, path)) {
      const document = documents[path];
      send(response, 200, document?.render() ?? "", {
        "content-type": document?.contentType ?? "",
      });
      return;
    }
    switch (path) {
      case "/healthz":
        send(response, 200, "ok\n");
        return;
      case "/readyz":
        if (await isReady()) send(response, 200, "ready\n");
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
    listen: ({ host = LOOPBACK, port }) => listenOn(server, { host, port }),
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
