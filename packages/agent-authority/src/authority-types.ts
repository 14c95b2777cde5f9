import type { IncomingMessage, ServerResponse } from "node:http";
import type { HumanIssuer } from "./humans/human-issuer.js";
import type { RateLimitOptions } from "./limits/rate-limits.js";
import type { ServerLimitOptions } from "./limits/server-limits.js";
import type { AuthorityMetrics } from "./observe/authority-metrics.js";
import type { Registry } from "./operations/registry-types.js";
import type { Generation } from "./registry/generations.js";
import type { LiveLimitOptions } from "./registry/live-limits.js";
import type { AuthorityStore } from "./store/authority-store.js";

/** Whether registrations must show that their sender holds the agent's key. */
export type RegistrationProofPolicy = "accept" | "require";

/** Where the authority writes what it does; a pino logger fits. No call ever holds a token, a biscuit or a query string. */
export interface AuthorityLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** For what an operator should act on before it fails. Default: `info`. */
  warn?(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Options of {@link createAuthority}. */
export interface AuthorityOptions extends LiveLimitOptions {
  /** An open store. It stays the caller's to close, after the authority. */
  readonly store: AuthorityStore;
  /**
   * The base URL that clients call. Default: none; then biscuits are bound to the path of their URL alone, and the directory is open
   * to callers on this machine's loopback. Set it wherever others than this machine call.
   */
  readonly publicUrl?: string | undefined;
  /** Issuers whose tokens prove a human, besides the access tokens of this authority. Default none. */
  readonly humans?: readonly HumanIssuer[] | undefined;
  /** Which clients are served. Default A and C. Without `C`, every registration takes a biscuit, but for the tasks of B's agents. */
  readonly generations?: readonly Generation[] | undefined;
  /**
   * `accept`: a registration proof that is there must hold. `require`: every registration takes one, which Codex does not send. A proof
   * covers the URL that clients call: `publicUrl`, or on this machine's loopback without one what `Host` says. Elsewhere without a
   * `publicUrl` none can be checked: it then counts as absent. Default `accept`.
   */
  readonly registrationProof?: RegistrationProofPolicy | undefined;
  /**
   * `accept`: an agent whose key opens no sealed box (in an ssh-agent, a key management service) gets its task id in clear if it signs that it
   * wants it so. `refuse`: such a registration is `forbidden`; every task id is sealed for the key. Default `accept`.
   */
  readonly plainTaskIds?: "accept" | "refuse" | undefined;
  /** The capabilities that agents may be granted when they ask for them. Default none. */
  readonly capabilities?: readonly string[] | undefined;
  /** Seconds after which an agent ends unless it registers again. Range 1 to 315,360,000. Default: never, unless it asks for a `ttl`. */
  readonly agentTtlSeconds?: number | undefined;
  /** Seconds after which a task ends. Range 1 to 315,360,000. Default: never. */
  readonly taskTtlSeconds?: number | undefined;
  /**
   * Seconds after which a task ends that is not used. Range 600 to 315,360,000. Default: never. A task is used by its registration, its
   * repetitions and each look of a verifier: in the directory, a `databaseDirectory` or an introspection. It ends at the latest a tenth of
   * the time later. A task that was registered without the option has no such end.
   */
  readonly taskIdleTtlSeconds?: number | undefined;
  /**
   * Seconds that an ephemeral agent lives at most, also if `agentTtlSeconds` is longer. Range 1 to 604,800. Default 21,600, as long as a job
   * of GitHub Actions may run. An ephemeral agent that asks for no life gets one hour.
   */
  readonly maxEphemeralTtlSeconds?: number | undefined;
  /** Limits of an account's own, by account id. What is not set there is set by the issuer of the user, or for all. Default none. */
  readonly accountLimits?: Readonly<Record<string, LiveLimitOptions>> | undefined;
  /** Seconds that a task registration's timestamp may be off, either way. Range 1 to 3,600. Default 300. */
  readonly maxSkewSeconds?: number | undefined;
  /**
   * The reverse proxies in front, by address or network (`10.0.0.0/8`): their `X-Forwarded-For` says where a request comes from. Default
   * none: the header is ignored, and the address is that of the connection. A client that can forge the header escapes the limits by address.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Requests in one minute, for all authorities on one database together. `"off"` for none of the limits. */
  readonly rateLimits?: RateLimitOptions | "off" | undefined;
  /** What is taken on at the same time, and from one connection; those of connections count for `listen` alone. */
  readonly limits?: ServerLimitOptions | undefined;
  /** The clock, epoch milliseconds. Default that of the store. */
  readonly now?: (() => number) | undefined;
  /** Default: nothing is logged. */
  readonly logger?: AuthorityLogger | undefined;
  /** Counts what is done; made by `createAuthorityMetrics`, for one authority. Default: nothing is counted. */
  readonly metrics?: AuthorityMetrics | undefined;
}

/** Options of {@link Authority.listen}. */
export interface ListenOptions {
  /** An address or name of this machine, for instance `127.0.0.1`. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** Options of {@link Authority.listenAdmin}. */
export interface ListenAdminOptions extends ListenOptions {
  /**
   * What clients may call the listener by in `Host` besides its own address, such as `admin.example:8443`: for a listener that has a name,
   * or a proxy in front. Default none. Requests with another `Host` are refused, so that no page in a browser reaches it by a name of its own.
   */
  readonly hosts?: readonly string[] | undefined;
}

/** A running authority. */
export interface Authority {
  /** Answers one request of a Node HTTP server. Limits of headers and time are that server's; `listen` sets them. */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /** Whether it takes requests and its database answers; for {@link createOperationsListener}. */
  isReady(): Promise<boolean>;
  /** What an operator does, on the same store. */
  readonly registry: Registry;
  /**
   * Listens with a server of its own, whose header size, time and connections are limited.
   *
   * @returns the base URL, with the port that was taken
   * @throws {AgentAuthorityError} `address_in_use` when the port is taken; `config_invalid` when the address is not this machine's
   */
  listen(options: ListenOptions): Promise<{ readonly url: string }>;
  /**
   * Listens for the admin API, which takes access tokens of the roles `read`, `audit`, `stop` and `operate`, with a server of its own. Nothing of it is served by
   * `handler` and `listen`, and nothing of theirs here but what probes ask for.
   *
   * @returns the base URL, with the port that was taken
   * @throws {AgentAuthorityError} as {@link Authority.listen}
   */
  listenAdmin(options: ListenAdminOptions): Promise<{ readonly url: string }>;
  /** Stops listening, lets open requests end (at most 10 s) and resolves. The store stays open. */
  close(): Promise<void>;
}
