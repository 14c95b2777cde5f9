import type { AssertionVerifier } from "@countersign/agent-assertion";
import { isLoopbackHost, LONGEST_TIMER_MS } from "@countersign/agent-key";
import type { CallerTokens } from "../caller-token/caller-tokens.js";
import type { ProxyMetrics } from "../exchange/proxy-metrics.js";
import { checkAccounts, limitsFor, trustedProxiesWith } from "../gateway/served-callers.js";
import { createTokenCheck } from "../head/token-check.js";
import { AUTHORIZER_OPTIONS, checkOptions } from "../limits/option-checks.js";
import { type ProxyLimitOptions, resolveProxyLimits } from "../limits/proxy-limits.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import type { Audit } from "../refusal/audit-entry.js";
import { type CloseOptions, ForwardingProxy } from "../serve/forwarding-proxy.js";
import type { ListenOptions, SocketListenOptions } from "../serve/listen-on.js";
import { createAuthorizerPolicy, GATEWAY_ADDRESS } from "./authorizer-policy.js";
import { GATEWAY_FIELDS, GATEWAY_KINDS, type GatewayKind } from "./gateway-kind.js";

/** Options of {@link createAuthorizer}. */
export interface AuthorizerOptions {
  /** Checks the assertions; its directory is the one authority whose agents pass. */
  readonly verifier: AssertionVerifier;
  /** The accounts that are served; or `"any"`: every account of the authority. */
  readonly accounts: readonly string[] | "any";
  /** The kind of the gateway that asks. It decides from which fields method and target are taken. */
  readonly gateway: GatewayKind;
  /**
   * The gateway sends the whole body of a request with its question. Default false: a bound request with a body is refused. Never say so of a
   * gateway that sends no body, or a part of it: a body that was not signed would pass.
   */
  readonly handsOverBodies?: boolean | undefined;
  /**
   * The token that the gateway presents in `X-Gateway-Token`, 16 to 512 visible ASCII characters. Default none: only on loopback or on a Unix
   * socket.
   */
  readonly gatewayToken?: string | undefined;
  /**
   * Addresses, and networks in CIDR form, of the proxies in front of the gateway. Limits by address count the client that `X-Forwarded-For` names
   * behind them. The gateway itself is believed in any case. Default none.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Signs who the caller is, in `x-agent-caller-token`; made by `createCallerTokens`, and its keys shown by `createOperationsListener`. Default none. */
  readonly callerTokens?: CallerTokens | undefined;
  /** Takes one entry for every question, with method and path of the request in question. */
  readonly audit?: Audit | undefined;
  /**
   * Whether entries can be kept now. While it returns false, every request is refused with 503 `server_error` before anything goes to the
   * upstream, and `isReady` returns false. Default: requests are served whether or not their entries can be kept.
   */
  readonly canAudit?: (() => boolean) | undefined;
  /** Counts questions; made by `createProxyMetrics`, one for each authorizer. Shown by `createOperationsListener`. */
  readonly metrics?: ProxyMetrics | undefined;
  /** Those of an upstream and of connections by address are without effect. */
  readonly limits?: ProxyLimitOptions | undefined;
  /** The clock of the audit, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** The verifier for a gateway of another make, which asks it about each request. */
export interface Authorizer {
  /**
   * Listens for plain HTTP/1.1 on an address of this machine or on a Unix domain socket.
   *
   * @returns the base URL, with the port that was taken; `unix:` and the path for a socket
   * @throws {AssertionProxyError} `address_in_use`; `config_invalid` for a place that cannot be listened on, or that other machines can reach
   * while there is no token; `store_denied` for a socket's directory that is not this user's alone
   */
  listen(options: ListenOptions | SocketListenOptions): Promise<{ url: string }>;
  /** Returns whether it takes questions: from `listen` until `close` is called. */
  isReady(): boolean;
  /**
   * Takes another token of the gateway. Questions with the former one are refused from now on.
   *
   * @param gatewayToken - as the option of that name
   * @throws {AssertionProxyError} `config_invalid` for a token of another form, or if the authorizer was made without one; nothing is changed then
   */
  setGatewayToken(gatewayToken: string): void;
  /** After `delayMs` takes no more questions, and answers those that it has. Resolves when all is closed; a second call waits for the first. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Makes an authorizer: the check of the verifying gateway, for a gateway that people already have (`auth_request` of nginx, `forward_auth` of
 * Caddy and the like). The gateway asks about each request, with the request's fields. The answer is 200 with `x-agent-runtime-id`,
 * `x-agent-task-id`, `x-agent-account-id` and, with `callerTokens`, `x-agent-caller-token`, which the gateway sets on the request to the upstream, or the refusal.
 *
 * Checked, in this order: that the gateway asks; which request it means; that the client wrote no `x-agent-*` field; target, framing, exactly
 * one assertion, the account, and the binding where the verifier has one. Not checked, unlike in the verifying gateway: what else of the
 * client's fields reaches the upstream, and whether a request that is open should end; both are the gateway's.
 *
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  checkOptions(options, AUTHORIZER_OPTIONS);
  const { gatewayToken } = options;
  if (!GATEWAY_KINDS.includes(options.gateway)) {
    throw new AssertionProxyError(
      "config_invalid",
      `gateway must be one of ${GATEWAY_KINDS.join(", ")}`,
    );
  }
  let checkToken =
    gatewayToken === undefined ? undefined : createTokenCheck("gatewayToken", gatewayToken);
  const isToken =
    checkToken === undefined ? undefined : (text: string) => checkToken?.(text) === true;
  const accounts = checkAccounts(options.accounts);
  const policy = createAuthorizerPolicy({
    verifier: options.verifier,
    accounts,
    fields: GATEWAY_FIELDS[options.gateway],
    isToken,
    callerTokens: options.callerTokens,
    handsOverBodies: options.handsOverBodies ?? false,
    trustedProxies: trustedProxiesWith(GATEWAY_ADDRESS, options.trustedProxies ?? []),
  });
  const proxy = new ForwardingProxy({
    destination: undefined,
    policy,
    // One connection of a gateway carries one question at a time, but those of all clients.
    limits: limitsFor(accounts, resolveProxyLimits(options.limits)),
    // Nothing is open longer than it takes to answer.
    recheckMs: LONGEST_TIMER_MS,
    audit: options.audit,
    canAudit: options.canAudit,
    observer: options.metrics?.observer,
    now: options.now ?? Date.now,
  });
  return {
    async listen(listenOptions) {
      if ("socketPath" in listenOptions) return proxy.listenOnSocket(listenOptions.socketPath);
      if (isToken === undefined && !isLoopbackHost(listenOptions.host)) {
        throw new AssertionProxyError(
          "config_invalid",
          `${listenOptions.host} can be reached by others, and there is no gatewayToken`,
          { hint: "give gatewayToken, or listen on 127.0.0.1 or on a Unix socket" },
        );
      }
      return proxy.listen(listenOptions);
    },
    isReady: () => proxy.isReady(),
    setGatewayToken(other) {
      if (checkToken === undefined) {
        throw new AssertionProxyError("config_invalid", "this authorizer has no gatewayToken");
      }
      checkToken = createTokenCheck("gatewayToken", other);
    },
    close: (closeOptions) => proxy.close(closeOptions),
  };
}
