import { envProxyAgent, followsEnvProxies, untilAborted } from "@countersign/agent-key";
import type { Code } from "@countersign/agent-key/codes";
import { codeOfStatus, parseProblem } from "@countersign/agent-key/problem";
import type { Dispatcher } from "undici";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { type DirectoryAnswer, parseDirectoryRecord } from "../schema/directory-record.js";

type Undici = typeof import("undici");

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_CONNECTIONS = 16;
// RFC 9110 §8.8.3; longer ones are not worth keeping.
const ETAG = /^(?:W\/)?"[!#-~]{0,256}"$/;

/** What the authority answered to one question. */
export type DirectoryReply =
  | {
      readonly kind: "record";
      readonly answer: DirectoryAnswer;
      readonly etag: string | undefined;
      readonly maxAgeMs: number | undefined;
    }
  | { readonly kind: "unchanged"; readonly maxAgeMs: number | undefined }
  | { readonly kind: "unknown_agent" }
  /** No usable answer. `isOutage`: a connection error, no answer in time, or 5xx, as opposed to a refusal. */
  | { readonly kind: "failed"; readonly error: AgentAssertionError; readonly isOutage: boolean };

/** Options of {@link DirectoryClient}. */
export interface DirectoryClientOptions {
  readonly authority: string;
  readonly token: string | undefined;
  readonly deadlineMs: number;
  readonly dispatcher: Dispatcher | undefined;
  readonly now: () => number;
  /** Called with each answer that says when it was made. */
  readonly onClock: (aheadMs: number) => void;
}

/** Asks the authority's directory, one question at a time: no redirects, 1 MiB bodies, one deadline from connecting to the last byte. */
export class DirectoryClient {
  readonly #options: DirectoryClientOptions;
  #ownDispatcher: Dispatcher | undefined;
  #isClosed = false;

  constructor(options: DirectoryClientOptions) {
    this.#options = options;
  }

  /** @param path - below the authority's base URL, already percent-encoded */
  async ask(path: string, etag: string | undefined): Promise<DirectoryReply> {
    const { authority, token, deadlineMs, now, onClock } = this.#options;
    // Loaded at the first question: a program that asks none does without it, and an older Node cannot load it.
    const undici = await import("undici");
    const askedAt = now();
    try {
      const signal = AbortSignal.timeout(deadlineMs);
      const asked = undici.request(`${authority}${path}`, {
        dispatcher: this.#dispatcher(undici),
        signal,
        headers: {
          accept: "application/json, application/problem+json",
          "user-agent": "countersign-agent-assertion",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(etag === undefined ? {} : { "if-none-match": etag }),
        },
      });
      // undici heeds the signal only once there is a connection.
      const response = await untilAborted(asked, signal);
      const aheadMs = clockAhead(response.headers, askedAt, now());
      if (aheadMs !== undefined) onClock(aheadMs);
      const text = await readText(response.body);
      return interpret(response, text, etag);
    } catch (error) {
      return failureOf(error, authority);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#ownDispatcher?.destroy();
  }

  #dispatcher(undici: Undici): Dispatcher {
    const { dispatcher, authority } = this.#options;
    if (dispatcher !== undefined) return dispatcher;
    if (this.#ownDispatcher === undefined) {
      this.#ownDispatcher = followsEnvProxies(authority)
        ? envProxyAgent(undici, { connections: MAX_CONNECTIONS })
        : new undici.Agent({ connections: MAX_CONNECTIONS });
      // A question that was asked before, or is asked after the end, opens no connection that is left behind.
      if (this.#isClosed) void this.#ownDispatcher.destroy();
    }
    return this.#ownDispatcher;
  }
}

// `Date` is in whole seconds and from any moment between question and answer; `undefined` for what a cache has kept (RFC 9111 §5.1).
function clockAhead(
  headers: Dispatcher.ResponseData["headers"],
  askedAt: number,
  answeredAt: number,
): number | undefined {
  const date = Date.parse(String(headers.date));
  if (Number.isNaN(date) || headers.age !== undefined) return undefined;
  if (date > answeredAt) return date - answeredAt;
  return Math.min(0, date + 999 - askedAt);
}

async function readText(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    // Leaving the loop destroys the body, and the connection with it.
    if (size > MAX_BODY_BYTES) throw badResponse("is longer than 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function interpret(
  response: Dispatcher.ResponseData,
  text: string,
  sentEtag: string | undefined,
): DirectoryReply {
  const { statusCode, headers } = response;
  const maxAgeMs = maxAgeOf(headers);
  if (statusCode === 304 && sentEtag !== undefined) return { kind: "unchanged", maxAgeMs };
  if (statusCode === 200) {
    const answer = parseDirectoryRecord(parseJson(text, headers, "application/json"));
    const etag = headers.etag;
    const isUsable = typeof etag === "string" && ETAG.test(etag);
    return { kind: "record", answer, etag: isUsable ? etag : undefined, maxAgeMs };
  }
  const code = parseProblem(contentTypeOf(headers), text)?.code;
  if (statusCode === 404 && code === "unknown_agent") return { kind: "unknown_agent" };
  return { kind: "failed", error: refusal(statusCode, code), isOutage: statusCode >= 500 };
}

// Seconds that the answer may still be used (RFC 9111 §4.2, §5.2.2); `undefined` when it does not say.
function maxAgeOf(headers: Dispatcher.ResponseData["headers"]): number | undefined {
  const control = String(headers["cache-control"] ?? "").toLowerCase();
  if (/\bno-(?:store|cache)\b/.test(control)) return 0;
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/.exec(control)?.[1];
  if (seconds === undefined) return undefined;
  const age = /^\d{1,9}$/.exec(String(headers.age ?? ""))?.[0] ?? "0";
  return Math.max(0, Number(seconds) - Number(age)) * 1000;
}

function parseJson(
  text: string,
  headers: Dispatcher.ResponseData["headers"],
  contentType: string,
): unknown {
  const essence = contentTypeOf(headers).split(";")[0];
  if (essence?.trim().toLowerCase() !== contentType) throw badResponse(`is no ${contentType}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badResponse("is not JSON", cause);
  }
}

function contentTypeOf(headers: Dispatcher.ResponseData["headers"]): string {
  return String(headers["content-type"] ?? "");
}

// protocol.md §9, for an answer that is no record.
function refusal(status: number, known: Code | undefined): AgentAssertionError {
  if (status < 400) return badResponse(`has status ${status}`);
  const code = status >= 500 ? "server_error" : (known ?? codeOfStatus(status));
  return new AgentAssertionError(code, `the authority's directory answered with status ${status}`, {
    hint:
      status === 401 || status === 403
        ? "give the verifier an access token of role resource_server"
        : undefined,
    retryable: status >= 500 || status === 429,
  });
}

function failureOf(error: unknown, authority: string): DirectoryReply {
  if (AgentAssertionError.is(error)) return { kind: "failed", error, isOutage: false };
  const { name, code } = describe(error);
  // What the other side sent is no HTTP: that is an answer, if a wrong one.
  if (code.startsWith("HPE_")) {
    return { kind: "failed", error: badResponse("is no HTTP", error), isOutage: false };
  }
  const isTimeout =
    name === "TimeoutError" || /^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code);
  const what = isTimeout ? "did not answer in time" : "cannot be reached";
  return {
    kind: "failed",
    isOutage: true,
    error: new AgentAssertionError(
      isTimeout ? "timeout" : "unreachable",
      `the authority's directory at ${authority} ${what}`,
      {
        cause: error,
        hint: followsEnvProxies(authority)
          ? "check that the authority runs, and that the proxy of the environment (HTTPS_PROXY) can reach it"
          : "check that the authority runs and can be reached",
        retryable: true,
      },
    ),
  };
}

function describe(error: unknown): { readonly name: string; readonly code: string } {
  if (!(error instanceof Error)) return { name: "", code: "" };
  return { name: error.name, code: "code" in error ? String(error.code) : "" };
}

function badResponse(what: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError("bad_response", `the directory's answer ${what}`, {
    cause,
    hint: "check that the authority's URL names an authority",
  });
}
