import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type AssertionVerifier, REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import type { CallerTokens } from "../caller-token/caller-tokens.js";
import type { ProxyMetrics } from "../exchange/proxy-metrics.js";
import { checkOptions, GATEWAY_OPTIONS } from "../limits/option-checks.js";
import { type ProxyLimitOptions, resolveProxyLimits } from "../limits/proxy-limits.js";
import type { Audit } from "../refusal/audit-entry.js";
import { type CloseOptions, ForwardingProxy } from "../serve/forwarding-proxy.js";
import type { ListenOptions } from "../serve/listen-on.js";
import { parseUpstream } from "../upstream/upstream.js";
import { createUpstreamAgent, type UpstreamTls } from "../upstream/upstream-agent.js";
import { parseUpstreamHeaders } from "../upstream/upstream-headers.js";
import { createGatewayPolicy } from "./gateway-policy.js";
import { checkAccounts, checkProxies, limitsFor } from "./served-callers.js";

/** Options of {@link createVerifyingGateway}. */
export interface VerifyingGatewayOptions {
  /** Checks the assertions; its directory is the one authority whose agents pass. */
  readonly verifier: AssertionVerifier;
  /** Base URL of the API behind the gateway; received paths go behind its own. `https:`, or `http:` to a loopback host. */
  readonly upstream: string;
  /** The accounts that are served; or `"any"`: every account of the authority. */
  readonly accounts: readonly string[] | "any";
  /** Fields that every request to the upstream carries, its credential first of all. A client's own of these names are dropped. */
  readonly upstreamHeaders?: Readonly<Record<string, string>> | undefined;
  /** Signs who the caller is, in `x-agent-caller-token`; made by `createCallerTokens`, and its keys shown by `createOperationsListener`. Default none. */
  readonly callerTokens?: CallerTokens | undefined;
  /** TLS towards the upstream: a private certificate authority, a client certificate. */
  readonly upstreamTls?: UpstreamTls | undefined;
  /** Allow an `http:` upstream on another machine. Default false. Turns off the protection of the upstream's credential on the way. */
  readonly insecureHttp?: boolean | undefined;
  /** Let `Cookie` pass to the upstream. Default false. */
  readonly forwardCookies?: boolean | undefined;
  /**
   * Names of client fields that pass although they are dropped by default: a key, a tenant, a client's address, a name with unusual
   * characters. Default none. Each passes as it is written, in any case. `x-agent-*`, fields of the connection and those in
   * `upstreamHeaders` cannot be named.
   */
  readonly forwardHeaders?: readonly string[] | undefined;
  /**
   * Addresses, and networks in CIDR form, of the reverse proxies in front, whose `X-Forwarded-For` is believed: limits by address count the
   * client that they name. Default none: a request comes from where its connection does, and all clients of a proxy are one.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Takes one entry for every request, refused ones too. */
  readonly audit?: Audit | undefined;
  /**
   * Whether entries can be kept now. While it returns false, every request is refused with 503 `server_error` before anything goes to the
   * upstream, and `isReady` returns false. Default: requests are served whether or not their entries can be kept.
   */
  readonly canAudit?: (() => boolean) | undefined;
  /** Counts what passes; made by `createProxyMetrics`, one for each gateway. Shown by `createOperationsListener`. */
  readonly metrics?: ProxyMetrics | undefined;
  /** Milliseconds after which open requests are looked at again, and again: whether agent and task still live. 1 to 30,000, default 15,000. */
  readonly recheckMs?: number | undefined;
  readonly limits?: ProxyLimitOptions | undefined;
  /** The clock of the audit, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** A gateway that lets through what an agent signed, and nothing else. */
export interface VerifyingGateway {
  /**
   * Serves one request of a Node server of yours. Prefer {@link VerifyingGateway.listen}, which also sets the parser's limits and answers
   * `Expect`, CONNECT and bytes that are no HTTP.
   */
  handler(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Serves one `upgrade` event of a Node server of yours: WebSockets. Without it such requests come to `handler`, and are refused. A request
   * that offers another protocol alone is answered with 400, and its connection ends; {@link VerifyingGateway.listen} ignores the offer.
   */
  upgradeHandler(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Listens for plain HTTP/1.1.
   *
   * @returns the base URL, with the port that was taken
   * @throws {AssertionProxyError} `address_in_use`; `config_invalid` for an address that cannot be listened on
   */
  listen(options: ListenOptions): Promise<{ url: string }>;
  /** Returns whether it takes requests: from `listen` until `close` is called. Always false for a gateway that serves a server of yours. */
  isReady(): boolean;
  /**
   * Takes other fields for the upstream, for instance a credential that was replaced. Requests that are admitted from now on carry these
   * and nothing of the ones before; requests in work keep what they were sent with.
   *
   * @param headers - as the option `upstreamHeaders`; all of them
   * @throws {AssertionProxyError} `config_invalid` for a header that cannot be; nothing is changed then
   */
  setUpstreamHeaders(headers: Readonly<Record<string, string>>): void;
  /**
   * After `delayMs` takes no more requests, lets those in work end, and after `drainMs` more breaks off what is left. Resolves when all is
   * closed; a second
   * call waits for the first. The verifier's directory stays open: it is yours.
   */
  close(options?: CloseOptions): Promise<void>;
}

const DEFAULT_RECHECK_MS = REVOCATION_DELAY_SECONDS.default * 1000;

/**
 * Makes a gateway in front of an API.
 *
 * Each request is checked before a byte of its body is read and before anything is sent to the upstream: its target, its framing, exactly
 * one assertion, the account. Then a request built from nothing goes upstream: fields that the client may not set are dropped, and
 * `upstreamHeaders`, `x-agent-runtime-id`, `x-agent-task-id`, `x-agent-account-id` and, with `callerTokens`, `x-agent-caller-token` are added last. Refusals are problem+json.
 *
 * Not checked: whether the agent may do what it asks (the upstream decides, by the `x-agent-*` fields), and replay: an unbound assertion
 * is accepted again until it expires. An upstream that trusts `x-agent-*` must refuse every request without the gateway's credential.
 *
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 * @throws {AgentKeyError} `config_invalid` for the upstream's URL
 * @see security.md "Both proxies build the outgoing request from nothing"
 */
export function createVerifyingGateway(options: VerifyingGatewayOptions): VerifyingGateway {
  checkOptions(options, GATEWAY_OPTIONS);
  const upstream = parseUpstream(options.upstream, { insecureHttp: options.insecureHttp });
  const accounts = checkAccounts(options.accounts);
  const policy = createGatewayPolicy({
    verifier: options.verifier,
    accounts,
    upstreamFields: parseUpstreamHeaders(options.upstreamHeaders ?? {}),
    callerTokens: options.callerTokens,
    forwardCookies: options.forwardCookies ?? false,
    forwardHeaders: options.forwardHeaders ?? [],
    trustedProxies: checkProxies(options.trustedProxies ?? []),
  });
  const proxy = new ForwardingProxy({
    destination: { upstream, agent: createUpstreamAgent(upstream, options.upstreamTls) },
    policy,
    limits: limitsFor(accounts, resolveProxyLimits(options.limits)),
    recheckMs: options.recheckMs ?? DEFAULT_RECHECK_MS,
    audit: options.audit,
    canAudit: options.canAudit,
    observer: options.metrics?.observer,
    now: options.now ?? Date.now,
  });
  return {
    handler: proxy.handle,
    upgradeHandler: proxy.handleUpgrade,
    listen: (listenOptions) => proxy.listen(listenOptions),
    isReady: () => proxy.isReady(),
    setUpstreamHeaders: (headers) => policy.setUpstreamFields(parseUpstreamHeaders(headers)),
    close: (closeOptions) => proxy.close(closeOptions),
  };
}
