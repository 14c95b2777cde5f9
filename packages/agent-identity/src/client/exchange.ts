import { untilAborted } from "@countersign/agent-key";
import {
  errnoOf,
  type Fetch,
  followsEnvProxies,
  readBounded,
} from "@countersign/agent-key/platform-fetch";
import {
  clientTraceFields,
  inSpan,
  type SpanOptions,
  serverAttributes,
} from "@countersign/agent-key/tracing";
import { AuthorityError } from "../authority-error.js";
import { TRACER } from "../internal/owner-span.js";

/** Bodies of answers are read up to here. */
const MAX_BODY_BYTES = 1024 * 1024;

/** One HTTP exchange, as it was. */
export interface Exchange {
  readonly status: number;
  /** Names in lower case; several fields of one name are one, with commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
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
  readonly method: string;
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
  options: { readonly fetch: Fetch; readonly now: () => number },
): Promise<Exchange> {
  const { method, url } = request;
  const spanOptions: SpanOptions = {
    tracer: TRACER,
    kind: "client",
    attributes: () => ({ "http.request.method": method, ...serverAttributes(new URL(url)) }),
  };
  return await inSpan(method, spanOptions, async (span) => {
    const headers = {
      ...Object.fromEntries(span === undefined ? [] : clientTraceFields(span)),
      ...request.headers,
    };
    const answer = await send({ ...request, headers }, signal, options);
    const { status } = answer;
    span?.set({ "http.response.status_code": status });
    span?.end({ isError: status >= 400 });
    return answer;
  });
}

async function send(
  request: ExchangeRequest,
  signal: AbortSignal,
  options: { readonly fetch: Fetch; readonly now: () => number },
): Promise<Exchange> {
  const { method, headers, body = null } = request;
  const sentAt = options.now();
  try {
    const asked = options.fetch(request.url, { method, headers, body, signal, redirect: "manual" });
    // A `fetch` of the program's own may heed the signal late, or not at all.
    const answer = await untilAborted(asked, signal);
    const receivedAt = options.now();
    const { bytes, isCut } = await untilAborted(readBounded(answer, MAX_BODY_BYTES), signal);
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: bytes,
      isCut,
      sentAt,
      receivedAt,
    };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(request.url, cause);
  }
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
        ? "its certificate is not trusted: check the address, or name its CA in NODE_EXTRA_CA_CERTS"
        : connectionHint(url),
    },
  );
}

function connectionHint(url: string): string {
  if (!followsEnvProxies(url)) return "check that the authority runs and that its address is right";
  return "check the authority's address, and that the proxy of the environment (HTTPS_PROXY) can reach it";
}
