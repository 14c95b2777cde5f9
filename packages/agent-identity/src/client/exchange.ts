import { followsEnvProxies, untilAborted } from "@countersign/agent-key";
import type { Dispatcher } from "undici";
import { AuthorityError } from "../authority-error.js";
import { defaultDispatcher } from "./default-dispatcher.js";
import { errnoOf } from "./temporary-failure.js";

/** Bodies of answers are read up to here. */
const MAX_BODY_BYTES = 1024 * 1024;

/** One HTTP exchange, as it was. */
export interface Exchange {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** At most 1 MiB. */
  readonly body: Uint8Array;
  /** Whether the body was longer than what was read. */
  readonly isCut: boolean;
  /** Local clock, epoch ms. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** What is sent. */
export interface ExchangeRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * Sends one request and reads the answer. Never follows a redirect.
 *
 * @throws {AuthorityError} `unreachable` when there is no connection or it breaks; an abort rejects with the signal's reason
 */
export async function exchange(
  request: ExchangeRequest,
  signal: AbortSignal,
  options: { readonly dispatcher: Dispatcher | undefined; readonly now: () => number },
): Promise<Exchange> {
  // Loaded at the first request: most runs of a program that has its identity send none.
  const undici = await import("undici");
  const sentAt = options.now();
  try {
    const asked = undici.request(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body ?? null,
      signal,
      dispatcher: options.dispatcher ?? defaultDispatcher(undici, request.url),
    });
    // undici heeds the signal only once there is a connection.
    const answer = await untilAborted(asked, signal);
    const receivedAt = options.now();
    const { body, isCut } = await readBody(answer.body);
    return { status: answer.statusCode, headers: answer.headers, body, isCut, sentAt, receivedAt };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(request.url, cause);
  }
}

async function readBody(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ body: Uint8Array; isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early destroys the stream, and with it the connection.
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      chunks.push(chunk.subarray(0, chunk.length - (length - MAX_BODY_BYTES)));
      return { body: Buffer.concat(chunks), isCut: true };
    }
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), isCut: false };
}

function unreachable(url: string, cause: unknown): AuthorityError {
  const { origin } = new URL(url);
  const code = errnoOf(cause);
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL/.test(code ?? "");
  return new AuthorityError(
    "unreachable",
    `no connection to the authority at ${origin}${code === undefined ? "" : ` (${code})`}`,
    {
      cause,
      retryable: !isCertificate,
      hint: isCertificate
        ? "its certificate is not trusted: check the address, or pass a dispatcher with its CA"
        : connectionHint(url),
    },
  );
}

function connectionHint(url: string): string {
  if (!followsEnvProxies(url)) return "check that the authority runs and that its address is right";
  return "check the authority's address, and that the proxy of the environment (HTTPS_PROXY) can reach it";
}
