import { randomBytes } from "node:crypto";
import { encodeBase64Url, parseAuthority } from "@countersign/agent-key";
import { platformFetch } from "@countersign/agent-key/platform-fetch";
import { isRequestId } from "@countersign/agent-key/redaction";
import {
  AUTHORITY_URL,
  checkOptions,
  PATIENCE_OPTIONS,
  TRANSPORT_OPTIONS,
} from "../internal/options.js";
import { VERSION } from "../internal/version.js";
import {
  AGENT_REGISTRATION_PATH,
  type AgentRegistrationResponse,
  agentRegistrationKeyid,
  createAgentRegistrationRequest,
  parseAgentRegistrationResponse,
} from "../schema/agent-registration.js";
import type { AgentRevocationResponse } from "../schema/agent-revocation.js";
import {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  createBiscuitRequestHeaders,
  parseBiscuitResponseHeaders,
} from "../schema/biscuit.js";
import type { KeyRotationResponse } from "../schema/key-rotation.js";
import { parseWhoamiResponse, WHOAMI_PATH, type Whoami } from "../schema/whoami.js";
import { answerError } from "./answer-error.js";
import { AuthorityClock } from "./authority-clock.js";
import type {
  AuthorityCallOptions,
  AuthorityClientOptions,
  AuthorityRequest,
  AuthorityResponse,
  AuthorityRetry,
  CallPatience,
  OwnEndOptions,
  RegisterAgentOptions,
  RotateKeyOptions,
  WhoamiOptions,
} from "./authority-request.js";
import { revokeAgent, rotateKey } from "./change-agent.js";
import { endAgent, endTask } from "./end-self.js";
import { type Exchange, exchange } from "./exchange.js";
import { FailureMemory } from "./outage-memory.js";
import { pacingOf } from "./pacing.js";
import { parseAnswer } from "./parse-answer.js";
import { registrationProof } from "./registration-proof.js";
import { withRetries } from "./retries.js";
import { usableToken } from "./usable-token.js";

/**
 * The only code that talks to an authority: one base URL, redirects never followed, bodies up to 1 MiB, JSON only, one deadline for a
 * call with all its attempts, and every refusal as an {@link AuthorityError} with a code of protocol.md §9.
 */
export class AuthorityClient {
  /** Normalised base URL. */
  readonly authority: string;
  /** Time for one call with all its attempts, in milliseconds, where the call does not say otherwise. */
  readonly deadlineMs: number;
  readonly #options: AuthorityClientOptions;
  readonly #now: () => number;
  /** For what the client itself signs the time of. Observes each answer. */
  readonly #clock: AuthorityClock;
  readonly #failures: FailureMemory;
  #requestCount = 0;

  /** @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong; if `authority` is plain http to another machine; if this Node is too old */
  constructor(options: AuthorityClientOptions) {
    checkOptions(options, { authority: AUTHORITY_URL, ...TRANSPORT_OPTIONS });
    this.authority = parseAuthority(options.authority, options, "authority");
    this.deadlineMs = options.deadlineMs ?? 30_000;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#clock = new AuthorityClock(this.#now);
    this.#failures = new FailureMemory(this.#now);
  }

  /** Requests sent so far, each attempt and each biscuit counted. */
  get requestCount(): number {
    return this.#requestCount;
  }

  /**
   * Sends one call and gives its 2xx answer, parsed.
   *
   * @throws {AuthorityError} with the code of protocol.md §9; `retryable` where the same call may succeed later
   * @throws {AgentKeyError} `config_invalid` for a number of the options that is out of range
   */
  async request(
    request: AuthorityRequest,
    options: AuthorityCallOptions = {},
  ): Promise<AuthorityResponse> {
    return await this.#repeat(request, options, async (signal) => {
      const credential = await this.#prove(request, signal);
      const answer = await this.#send(request, credential, signal, options);
      const { status, headers, sentAt, receivedAt } = answer;
      return {
        status,
        headers,
        sentAt,
        receivedAt,
        body: parseAnswer(this.#describe(request), answer),
      };
    });
  }

  /**
   * Mints a one-use biscuit for one request to this authority (protocol.md §13.1, generation A).
   *
   * @param accessToken - the human's token; secret
   * @throws {AuthorityError} as {@link AuthorityClient.request}
   * @throws {AgentIdentityError} `bad_response` when the answer has no usable biscuit
   */
  async biscuit(
    accessToken: string,
    target: { readonly method: string; readonly path: string },
    options: AuthorityCallOptions = {},
  ): Promise<string> {
    const request = { method: "GET", path: BISCUIT_PATH } as const;
    return await this.#repeat(request, options, (signal) =>
      this.#mint(accessToken, target, signal),
    );
  }

  /**
   * Asks whose token it is (protocol.md §5.10).
   *
   * @throws {AuthorityError} as {@link AuthorityClient.request}
   * @throws {AgentIdentityError} `bad_response`
   */
  async whoami(accessToken: string, options: WhoamiOptions = {}): Promise<Whoami> {
    const { agentRuntimeId: agent, ...call } = options;
    const human = { accessToken, proof: "bearer" } as const;
    const query = agent === undefined ? "" : `?agent_runtime_id=${encodeURIComponent(agent)}`;
    const path = WHOAMI_PATH + query;
    const answer = await this.request({ method: "GET", path, human }, call);
    return parseWhoamiResponse(answer.body);
  }

  /**
   * Registers an agent. Sent again after passing failures: a public key that is registered twice by one human is one agent.
   *
   * Whether the account and user of the answer are the expected ones is the caller's to check.
   *
   * @throws {AuthorityError} as {@link AuthorityClient.request}
   * @throws {AgentIdentityError} `bad_response` when the answer has no usable id
   */
  async registerAgent(
    registration: RegisterAgentOptions,
    options?: AuthorityCallOptions,
  ): Promise<AgentRegistrationResponse> {
    const { key, publicKey } = registration;
    const signer = key && {
      key,
      keyid: agentRegistrationKeyid(publicKey),
      created: Math.floor(this.#now() / 1000),
    };
    const answer = await this.request(
      {
        method: "POST",
        path: AGENT_REGISTRATION_PATH,
        body: createAgentRegistrationRequest(registration),
        human: registration,
        signer,
        retry: true,
      },
      options,
    );
    return parseAgentRegistrationResponse(answer.body);
  }

  /**
   * Rotates an agent's key. Sent again after temporary failures, because the authority answers a repetition as it answered the first.
   *
   * @throws {AuthorityError} as {@link AuthorityClient.request}
   * @throws {AgentIdentityError} `bad_response` if the answer breaks the protocol, or is about another agent or key
   */
  async rotateKey(
    rotation: RotateKeyOptions,
    options?: AuthorityCallOptions,
  ): Promise<KeyRotationResponse> {
    return await rotateKey(this, rotation, options);
  }

  /**
   * Revokes an agent of the human that the token belongs to. Sent again after temporary failures, because a second revocation changes nothing.
   *
   * @param accessToken - the human's token; secret
   * @throws {AuthorityError} as {@link AuthorityClient.request}
   * @throws {AgentIdentityError} `bad_response` if the answer breaks the protocol, or is about another agent
   */
  async revokeAgent(
    accessToken: string,
    agentRuntimeId: string,
    options?: AuthorityCallOptions,
  ): Promise<AgentRevocationResponse> {
    return await revokeAgent(this, accessToken, agentRuntimeId, options);
  }

  /**
   * Ends an agent with its own key, and with it all its tasks; no login is needed. Sent again after temporary failures, because a second end
   * changes nothing: if the authority does not know the agent then, it has ended. Signed once more by the authority's clock if it refuses
   * the time. An authority that does not serve it answers 404 without the code `unknown_agent`.
   *
   * @throws {AuthorityError} as {@link AuthorityClient.request}
   * @throws {AgentKeyError} `signer_failed`, also if the signer takes longer than a quarter of the call's time
   * @throws {AgentIdentityError} `bad_response` if the answer breaks the protocol, or is about another agent
   * @see protocol.md §5.7
   */
  async endAgent(end: OwnEndOptions, options?: AuthorityCallOptions): Promise<void> {
    await endAgent(this, this.#clock, end, options);
  }

  /**
   * Ends one task of an agent with the agent's key. Sent again after temporary failures, because a second end changes nothing. Signed once more
   * by the authority's clock if it refuses the time.
   *
   * @throws {AuthorityError} as {@link AuthorityClient.request}; `unknown_task` if the agent has no such task
   * @throws {AgentKeyError} `signer_failed`, also if the signer takes longer than a quarter of the call's time
   * @throws {AgentIdentityError} `bad_response` if the answer breaks the protocol, or is about another task
   * @see protocol.md §5.7
   */
  async endTask(
    end: OwnEndOptions & { readonly taskId: string },
    options?: AuthorityCallOptions,
  ): Promise<void> {
    await endTask(this, this.#clock, end, options);
  }

  async #repeat<T>(
    request: AuthorityRequest,
    options: AuthorityCallOptions,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    checkOptions(options, PATIENCE_OPTIONS);
    const { onRetry } = this.#options;
    const { outageMs, attempts = this.#options.attempts, deadlineMs = this.deadlineMs } = options;
    const repeated = {
      what: this.#describe(request),
      attempts: mayRepeat(request) ? attempts : 1,
      deadlineMs,
      signal: options.signal,
      laterPauseMs: outageMs,
      now: this.#now,
      pacing: pacingOf(this.#options),
      onRetry: (retry: AuthorityRetry) => {
        onRetry?.(retry);
        options.onRetry?.(retry);
      },
    };
    if (outageMs === undefined) return await withRetries(attempt, repeated);
    const { method, path, human } = request;
    const key = JSON.stringify([method, path, human?.accessToken]);
    return await this.#failures.run(outageMs, key, (limits) =>
      withRetries(attempt, {
        ...repeated,
        ...limits,
        deadlineMs: Math.min(limits.deadlineMs ?? deadlineMs, deadlineMs),
      }),
    );
  }

  async #prove(request: AuthorityRequest, signal: AbortSignal): Promise<Record<string, string>> {
    if (request.human === undefined) return {};
    const { accessToken, proof } = request.human;
    if (proof === "biscuit") {
      return { [BISCUIT_HEADER]: await this.#mint(accessToken, request, signal) };
    }
    return { authorization: `Bearer ${usableToken(accessToken)}` };
  }

  async #mint(
    accessToken: string,
    target: { readonly method: string; readonly path: string },
    signal: AbortSignal,
  ): Promise<string> {
    const credential = createBiscuitRequestHeaders({
      accessToken: usableToken(accessToken),
      method: target.method,
      url: this.#url(target.path),
      requestId: `countersign-${encodeBase64Url(randomBytes(16))}`,
    });
    const question = { method: "GET", path: BISCUIT_PATH } as const;
    const answer = await this.#send(question, credential, signal);
    return parseBiscuitResponseHeaders(answer.headers);
  }

  async #send(
    request: AuthorityRequest,
    credential: Readonly<Record<string, string>>,
    signal: AbortSignal,
    { deadlineMs = this.deadlineMs, requestId }: CallPatience = {},
  ): Promise<Exchange> {
    const url = this.#url(request.path);
    const { method } = request;
    const headers = {
      ...(isRequestId(requestId) ? { "x-request-id": requestId } : {}),
      ...request.headers,
      ...credential,
    };
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const sent = { method, url, headers, body };
    const proof = await registrationProof(request.signer, sent, {
      signal,
      // A signer that hangs is found before the call's time is over: that would look like an authority that does not answer.
      deadlineMs: Math.max(1, Math.floor(deadlineMs / 4)),
    });
    this.#requestCount += 1;
    const answer = await exchange(
      {
        method,
        url,
        headers: {
          accept: "application/json, application/problem+json",
          "user-agent": `countersign/${VERSION}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
          ...proof,
        },
        body,
      },
      signal,
      { fetch: this.#options.fetch ?? platformFetch, now: this.#now },
    );
    this.#clock.observe(answer);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw answerError(this.#describe(request), answer, {
      authority: this.authority,
      secrets: secretsOf(headers),
      now: this.#now(),
    });
  }

  #url(path: string): string {
    const url = this.authority + path;
    // A path that is read otherwise than it is written (dot segments, control characters) would go somewhere else.
    if (!path.startsWith("/") || !URL.canParse(url) || new URL(url).href !== url) {
      throw Object.assign(new TypeError("path must be a normalised path below the authority"), {
        code: "ERR_INVALID_ARG_VALUE",
      });
    }
    return url;
  }

  #describe(request: AuthorityRequest): string {
    return `${request.method} ${this.authority}${request.path}`;
  }
}

function mayRepeat(request: AuthorityRequest): boolean {
  if (request.retry !== undefined) return request.retry;
  const names = Object.keys(request.headers ?? {}).map((name) => name.toLowerCase());
  return request.method === "GET" || names.includes("idempotency-key");
}

function secretsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => /^(?:authorization|x-openai-authorization)$/i.test(name))
    .map(([, value]) => value.replace(/^Bearer /, ""));
}
