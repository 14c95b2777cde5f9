import { untilAborted } from "@countersign/agent-key";
import type { Code } from "@countersign/agent-key/codes";
import {
  errnoOf,
  type Fetch,
  followsEnvProxies,
  readBounded,
} from "@countersign/agent-key/platform-fetch";
import { codeOfStatus, parseProblem } from "@countersign/agent-key/problem";
import {
  clientTraceFields,
  inSpan,
  type SpanOptions,
  serverAttributes,
  type TraceSpan,
} from "@countersign/agent-key/tracing";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { type DirectoryAnswer, parseDirectoryRecord } from "../schema/directory-record.js";
import { Slots } from "./slots.js";

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_QUESTIONS = 16;
// What a header field can carry; the authority itself decides whether it takes the id.
const REQUEST_ID = /^[!-~]{1,128}$/;
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
  | FailedReply;

/** No usable answer. `isOutage`: a connection error, no answer in time, or 5xx, as opposed to a refusal. */
interface FailedReply {
  readonly kind: "failed";
  readonly error: AgentAssertionError;
  readonly isOutage: boolean;
}

/** Options of {@link DirectoryClient}. */
export interface DirectoryClientOptions {
  readonly authority: string;
  readonly token: string | undefined;
  readonly deadlineMs: number;
  readonly fetch: Fetch;
  readonly now: () => number;
  /** Called with each answer that says when it was made. */
  readonly onClock: (aheadMs: number) => void;
}

interface Message {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a question says beside its path. */
export interface Question {
  /** Of the record that is kept. */
  readonly etag: string | undefined;
  /** The request for which this is asked. */
  readonly requestId: string | undefined;
}

/** Asks the authority's directory: no redirects, 1 MiB bodies, 16 questions at the same time, one deadline from the question to the last byte. */
export class DirectoryClient {
  readonly #options: DirectoryClientOptions;
  readonly #slots = new Slots(MAX_QUESTIONS);
  // Not a signal: in Workers one belongs to the request that made it, and a directory serves many.
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor(options: DirectoryClientOptions) {
    this.#options = options;
  }

  /** @param path - below the authority's base URL, already percent-encoded */
  async ask(path: string, question: Question): Promise<DirectoryReply> {
    const answer = await this.#inTime((signal) =>
      this.#slots.run(() => this.#ask(path, question, signal), signal),
    );
    return answer.kind === "done" ? answer.value : answer;
  }

  /**
   * Sends a report, and reads nothing of the answer but whether it was taken. It takes no place of a question.
   *
   * @param path - as for {@link ask}
   * @returns why it was not taken, if so
   */
  async report(path: string, body: object): Promise<AgentAssertionError | undefined> {
    const message: Message = {
      method: "POST",
      path,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const answer = await this.#inTime((signal) => this.#send(message, signal, refusalOf));
    return answer.kind === "done" ? answer.value : answer.error;
  }

  async #inTime<T>(
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly kind: "done"; readonly value: T } | FailedReply> {
    const { authority, deadlineMs } = this.#options;
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(timedOut()), deadlineMs);
    this.#open.add(ended);
    if (this.#isClosed) ended.abort(closed());
    try {
      return { kind: "done", value: await work(ended.signal) };
    } catch (error) {
      return failureOf(error, authority);
    } finally {
      clearTimeout(timer);
      this.#open.delete(ended);
    }
  }

  /** Ends the questions that are under way, and each later one at once: as if the authority could not be reached. */
  close(): void {
    this.#isClosed = true;
    for (const ended of this.#open) ended.abort(closed());
  }

  async #ask(
    path: string,
    { etag, requestId }: Question,
    signal: AbortSignal,
  ): Promise<DirectoryReply> {
    const headers = {
      ...(etag === undefined ? {} : { "if-none-match": etag }),
      ...(requestId !== undefined && REQUEST_ID.test(requestId)
        ? { "x-request-id": requestId }
        : {}),
    };
    const message: Message = { method: "GET", path, headers };
    return await this.#send(message, signal, (response, text) => interpret(response, text, etag));
  }

  async #send<T>(
    message: Message,
    signal: AbortSignal,
    read: (response: Response, text: string) => T,
  ): Promise<T> {
    const { method } = message;
    const spanOptions: SpanOptions = {
      tracer: "@countersign/agent-assertion",
      kind: "client",
      attributes: () => ({
        "http.request.method": method,
        ...serverAttributes(new URL(this.#options.authority)),
      }),
    };
    return await inSpan(method, spanOptions, async (span) => {
      const { response, text } = await this.#exchange(message, signal, span);
      const answer = read(response, text);
      span?.end({ isError: response.status >= 400 });
      return answer;
    });
  }

  async #exchange(
    { method, path, headers, body }: Message,
    signal: AbortSignal,
    span: TraceSpan | undefined,
  ): Promise<{ readonly response: Response; readonly text: string }> {
    const { authority, token, fetch, now, onClock } = this.#options;
    const askedAt = now();
    const asked = fetch(`${authority}${path}`, {
      ...(body === undefined ? {} : { method, body }),
      signal,
      redirect: "manual",
      headers: {
        accept: "application/json, application/problem+json",
        "user-agent": "countersign-agent-assertion",
        ...(span === undefined ? {} : Object.fromEntries(clientTraceFields(span))),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
    });
    // A `fetch` of the program's own may heed the signal late, or not at all.
    const response = await untilAborted(asked, signal);
    span?.set({ "http.response.status_code": response.status });
    const aheadMs = clockAhead(response.headers, askedAt, now());
    if (aheadMs !== undefined) onClock(aheadMs);
    const { bytes, isCut } = await untilAborted(readBounded(response, MAX_BODY_BYTES), signal);
    if (isCut) throw badResponse("is longer than 1 MiB");
    return { response, text: new TextDecoder().decode(bytes) };
  }
}

function closed(): Error {
  return new Error("the directory is closed");
}

function timedOut(): Error {
  return new DOMException("no answer in time", "TimeoutError");
}

// `Date` is in whole seconds and from any moment between question and answer; `undefined` for what a cache has kept (RFC 9111 §5.1).
function clockAhead(headers: Headers, askedAt: number, answeredAt: number): number | undefined {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date) || headers.has("age")) return undefined;
  if (date > answeredAt) return date - answeredAt;
  return Math.min(0, date + 999 - askedAt);
}

function interpret(response: Response, text: string, sentEtag: string | undefined): DirectoryReply {
  const { status, headers } = response;
  const maxAgeMs = maxAgeOf(headers);
  if (status === 304 && sentEtag !== undefined) return { kind: "unchanged", maxAgeMs };
  if (status === 200) {
    const answer = parseDirectoryRecord(parseJson(text, headers, "application/json"));
    const etag = headers.get("etag") ?? "";
    const isUsable = ETAG.test(etag);
    return { kind: "record", answer, etag: isUsable ? etag : undefined, maxAgeMs };
  }
  const code = parseProblem(contentTypeOf(headers), text)?.code;
  if (status === 404 && code === "unknown_agent") return { kind: "unknown_agent" };
  return { kind: "failed", error: refusal(status, code), isOutage: status >= 500 };
}

// Seconds that the answer may still be used (RFC 9111 §4.2, §5.2.2); `undefined` when it does not say.
function maxAgeOf(headers: Headers): number | undefined {
  const control = (headers.get("cache-control") ?? "").toLowerCase();
  if (/\bno-(?:store|cache)\b/.test(control)) return 0;
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/.exec(control)?.[1];
  if (seconds === undefined) return undefined;
  const age = /^\d{1,9}$/.exec(headers.get("age") ?? "")?.[0] ?? "0";
  return Math.max(0, Number(seconds) - Number(age)) * 1000;
}

function parseJson(text: string, headers: Headers, contentType: string): unknown {
  const essence = contentTypeOf(headers).split(";")[0];
  if (essence?.trim().toLowerCase() !== contentType) throw badResponse(`is no ${contentType}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badResponse("is not JSON", cause);
  }
}

function contentTypeOf(headers: Headers): string {
  return headers.get("content-type") ?? "";
}

function refusalOf(response: Response, text: string): AgentAssertionError | undefined {
  const { status, headers } = response;
  if (status === 200) return undefined;
  return refusal(status, parseProblem(contentTypeOf(headers), text)?.code);
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

function failureOf(error: unknown, authority: string): FailedReply {
  if (AgentAssertionError.is(error)) return { kind: "failed", error, isOutage: false };
  const code = errnoOf(error) ?? "";
  // What the other side sent is no HTTP: that is an answer, if a wrong one.
  if (code.startsWith("HPE_")) {
    return { kind: "failed", error: badResponse("is no HTTP", error), isOutage: false };
  }
  const isTimeout =
    (error instanceof Error && error.name === "TimeoutError") ||
    /^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code);
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

function badResponse(what: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError("bad_response", `the directory's answer ${what}`, {
    cause,
    hint: "check that the authority's URL names an authority",
  });
}
