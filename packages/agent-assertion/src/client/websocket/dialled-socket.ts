import type { IncomingMessage } from "node:http";
import type { Code } from "@countersign/agent-key";
import { MAX_PROBLEM_BYTES } from "@countersign/agent-key/problem";
import { AgentAssertionError } from "../../agent-assertion-error.js";
import { dialCode } from "./assertion-headers.js";

/** What of `ws`'s `WebSocket` a dial needs. */
export interface DialledSocket {
  on(event: "open", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(
    event: "unexpected-response",
    listener: (request: DialRequest, response: IncomingMessage) => void,
  ): unknown;
  on(event: "redirect", listener: (url: string, request: DialRequest) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  pause(): void;
  resume(): void;
  terminate(): void;
}

interface DialRequest {
  destroy(error?: Error): unknown;
}

/** How a dial ended, if there was an answer. */
export type DialAnswer<Socket> =
  | { readonly kind: "opened"; readonly socket: Socket }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code: Promise<Code | undefined>;
      readonly request: DialRequest;
    };

/**
 * Ends a dial with `refused` if its socket follows a redirect: the next request has the headers of the first, wherever it goes. Nothing of
 * it is sent.
 */
export function refuseRedirects(socket: DialledSocket): void {
  socket.on("redirect", (_, request) => {
    request.destroy(
      new AgentAssertionError("refused", "the server answered the dial with a redirect", {
        hint: "dial the URL that it leads to, and leave followRedirects of ws off",
      }),
    );
  });
}

/**
 * Stops a dial whose socket would never say how it ends.
 *
 * @throws {AgentAssertionError} `config_invalid` if the socket is not one of `ws`
 */
export function requireKnownSocket(socket: unknown): void {
  const isKnown = ["on", "off", "pause", "resume", "terminate"].every(
    (name) => typeof Reflect.get(Object(socket), name) === "function",
  );
  if (isKnown) return;
  // Its caller never gets it.
  const close: unknown = Reflect.get(Object(socket), "close");
  if (typeof close === "function") close.call(socket);
  throw new AgentAssertionError("config_invalid", "connect did not return a WebSocket of ws", {
    hint: "return new WebSocket(url, { headers }) of ws 7 or 8; for other clients take assertionHeaders",
  });
}

/** Waits until a socket is open or an answer refuses it; rejects with the socket's error where there is none. */
export function openSocket<Socket extends DialledSocket>(
  socket: Socket,
  signal: AbortSignal | undefined,
): Promise<DialAnswer<Socket>> {
  const { promise, resolve, reject } = Promise.withResolvers<DialAnswer<Socket>>();
  const abort = () => {
    reject(signal?.reason);
    socket.terminate();
  };
  socket.on("error", reject);
  socket.on("open", () => {
    socket.off("error", reject);
    // A message may come together with the answer to the handshake. The caller must have the socket, and a listener on it, before that message is
    // emitted.
    socket.pause();
    setImmediate(() => socket.resume());
    resolve({ kind: "opened", socket });
  });
  socket.on("unexpected-response", (request, response) => {
    const code = dialCode(response, () => readStart(response));
    resolve({ kind: "refused", status: response.statusCode ?? 0, code, request });
  });
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort);
  return promise.finally(() => signal?.removeEventListener("abort", abort));
}

// Nothing of a body that is long.
async function readStart(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_PROBLEM_BYTES) return "";
  }
  return Buffer.concat(chunks).toString("utf8");
}
