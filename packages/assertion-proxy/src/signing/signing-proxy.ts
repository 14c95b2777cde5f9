import { AssertionSigner } from "@countersign/agent-assertion/sign";
import {
  type CredentialSource,
  LONGEST_TIMER_MS,
  numberIn,
  parseAuthority,
  parseOrigin,
} from "@countersign/agent-key";
import type { ProxyMetrics } from "../exchange/proxy-metrics.js";
import { checkOptions, SIGNING_PROXY_OPTIONS } from "../limits/option-checks.js";
import { type ProxyLimitOptions, resolveProxyLimits } from "../limits/proxy-limits.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import type { Audit } from "../refusal/audit-entry.js";
import { type CloseOptions, ForwardingProxy } from "../serve/forwarding-proxy.js";
import { parseUpstream } from "../upstream/upstream.js";
import { createUpstreamAgent, type UpstreamTls } from "../upstream/upstream-agent.js";
import { parseAllowedHosts } from "./allowed-hosts.js";
import { createClientToken, keyFieldsBeside } from "./client-token.js";
import { createSigningGate } from "./signing-gate.js";
import {
  describeListener,
  type SigningListener,
  type SigningListenOptions,
} from "./signing-listener.js";
import { createSigningPolicy } from "./signing-policy.js";
import { MAX_THREADS, parseThreadHeaders, SigningThreads } from "./signing-threads.js";

/** Options of {@link createSigningProxy}. */
export interface SigningProxyOptions {
  /** Base URL of the API that requests go to, and the only origin that they are signed for. `https:`, or `http:` to a loopback host. */
  readonly upstream: string;
  /**
   * Gives the credentials of a thread, or of everything that has no thread (`undefined`). With `@countersign/agent-task`:
   * `(id) => (id === undefined ? tasks.run() : tasks.thread(id))`. Called once for each live thread.
   */
  readonly source: (threadId: string | undefined) => CredentialSource;
  /**
   * What clients present: 16 to 512 visible ASCII characters. It is taken from `Authorization: Bearer`, `x-api-key`, `api-key`,
   * `x-goog-api-key` and the subprotocol `openai-insecure-api-key.TOKEN`. Nothing outside a body that contains it goes to the upstream.
   * A must where an address is listened on; not asked for on a Unix socket. `"open"`: every program of this machine may act as the agent;
   * every other check stays.
   */
  readonly clientToken?: string | undefined;
  /** Names of the fields whose value is the thread, the first that is there. Default `x-thread-id`, then `session_id`. */
  readonly threadHeaders?: readonly string[] | undefined;
  /**
   * Threads that are kept at one time. For one more the thread makes room that has been idle for longest; the answer is 429 only if all have
   * requests in work. 1 to 100,000, default 1,000.
   */
  readonly maxThreads?: number | undefined;
  /**
   * Milliseconds in which a request gets its credential, a registration of its agent and task included. From 1 to 2,147,483,647, default
   * 8,000. A source that takes no deadline is ended by `limits.admitMs`. That the authority is away is remembered for 5 seconds, or
   * as long as it asks for: until then all threads that need a registration are refused at once, and after that one of them asks again.
   */
  readonly credentialMs?: number | undefined;
  /** Allow to listen where other machines can reach it; needs a client token. Default false. */
  readonly allowRemote?: boolean | undefined;
  /**
   * What clients may name in `Host` beside the address that the proxy listens on, each as `HOST` or `HOST:PORT`: the name of a service in a
   * container network, a mapped port. Without a port it is the one that the connection came to. Default none. A page of such a name could
   * reach the proxy, but has no client token: not with `clientToken: "open"`.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Bytes of a body that are kept while it is sent, so that it can be sent once more after a 401. A longer body streams through, and its
   * 401 is the client's. From 0, default 1,048,576: 1 MiB.
   */
  readonly replayBodyBytes?: number | undefined;
  /**
   * Bind each request to its method, URL and body (protocol.md §7). Default false. Bodies are then held until they are whole: nothing
   * streams to the upstream; answers still do.
   */
  readonly binding?: boolean | undefined;
  /** Bytes of a body that may be held for binding; a longer one is refused with 413. From 0, default 16,777,216: 16 MiB. */
  readonly bindingBodyBytes?: number | undefined;
  /** Makes the assertions. Default: one of its own, by the local clock. */
  readonly signer?: AssertionSigner | undefined;
  /** TLS towards the upstream: a private certificate authority, a client certificate. */
  readonly upstreamTls?: UpstreamTls | undefined;
  /** Allow an `http:` upstream on another machine. Default false. Shows every assertion to the network. */
  readonly insecureHttp?: boolean | undefined;
  /** Let `Cookie` pass to the upstream. Default false. */
  readonly forwardCookies?: boolean | undefined;
  /**
   * Names of client fields that pass although they are dropped by default: a key, a client's address, a name with unusual characters. Default none.
   * Each passes as it is written, in any case. `x-agent-*`, fields of the connection, `x-api-key` and fields that name the thread and end
   * here cannot be named.
   */
  readonly forwardHeaders?: readonly string[] | undefined;
  /** Takes one entry for every request, refused ones too. */
  readonly audit?: Audit | undefined;
  /**
   * Whether entries can be kept now. While it returns false, every request is refused with 503 `server_error` before anything goes to the
   * upstream, and `isReady` returns false. Default: requests are served whether or not their entries can be kept.
   */
  readonly canAudit?: (() => boolean) | undefined;
  /** Counts what passes; made by `createProxyMetrics`, one for each proxy. Shown by `createOperationsListener`. */
  readonly metrics?: ProxyMetrics | undefined;
  readonly limits?: ProxyLimitOptions | undefined;
  /** The clock of the audit, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** A proxy beside an agent: plain HTTP in, asserted HTTP out. */
export interface SigningProxy {
  /**
   * Listens for plain HTTP/1.1 on an address of this machine or on a Unix domain socket. Once.
   *
   * @returns the base URL, with the port that was taken; `unix:` and the path for a socket
   * @throws {AssertionProxyError} `address_in_use`; `config_invalid` for a place that cannot, or must not, be listened on; `store_denied` for a
   * socket's directory that is not this user's alone
   */
  listen(options: SigningListenOptions): Promise<{ url: string }>;
  /** Returns whether it takes requests: from `listen` until `close` is called. */
  isReady(): boolean;
  /**
   * Takes another client token. Requests with the former one are refused from now on.
   *
   * @param clientToken - as the option of that name, but not `"open"`
   * @throws {AssertionProxyError} `config_invalid` for a token of another form, or if the proxy was made without one; nothing is changed then
   */
  setClientToken(clientToken: string): void;
  /**
   * After `delayMs` takes no more requests, lets those in work end, and after `drainMs` more breaks off what is left. Resolves when all is
   * closed; a second
   * call waits for the first.
   */
  close(options?: CloseOptions): Promise<void>;
}

const DEFAULT_THREAD_HEADERS = ["x-thread-id", "session_id"];
const DEFAULT_REPLAY_BYTES = 1_048_576;
const DEFAULT_BINDING_BYTES = 16_777_216;
const DEFAULT_THREADS = 1_000;
// Clients that repeat a refused request come back after the 5 s of its Retry-After: each then finds out whether the authority is back.
const OUTAGE_MS = 5_000;
const DEFAULT_CREDENTIAL_MS = 8_000;
// Longer than a thread's turn may take to get its task, so that the client gets the turn's own error.
const DEFAULT_ADMIT_MS = 60_000;

/**
 * Makes a signing proxy for programs in any language on this machine.
 *
 * **It is a credential:** every program that may use it acts as this machine's agent. So each request is checked by its head before its body
 * is read and before anything is signed: its `Host` must be the listener's own address, it must have no field that only a browser's page
 * sends, and it must carry the client token. Then a request built from nothing goes upstream, with the assertion of its thread in place of
 * the token.
 *
 * @throws {AssertionProxyError} `config_invalid`, naming the option, if one is missing or wrong
 * @throws {AgentKeyError} `config_invalid` for the upstream's URL
 * @see security.md "Signing proxy"
 */
export function createSigningProxy(options: SigningProxyOptions): SigningProxy {
  return openSigningProxy(options).proxy;
}

/** A {@link SigningProxy} whose listener need not keep the process alive. */
export interface OpenedSigningProxy {
  readonly proxy: SigningProxy;
  /** Lets the process end although the proxy listens. */
  unref(): void;
}

/** Makes a signing proxy as {@link createSigningProxy} does. */
export function openSigningProxy(options: SigningProxyOptions): OpenedSigningProxy {
  checkOptions(options, { ...SIGNING_PROXY_OPTIONS, maxThreads: numberIn(1, MAX_THREADS) });
  const { clientToken, insecureHttp, now = Date.now } = options;
  const upstream = parseUpstream(options.upstream, { insecureHttp });
  const isOpen = clientToken === "open";
  const token = clientToken === undefined || isOpen ? undefined : createClientToken(clientToken);
  const allowedHosts = parseAllowedHosts(options.allowedHosts ?? []);
  if (isOpen && allowedHosts.length > 0) {
    throw new AssertionProxyError("config_invalid", "an open proxy cannot have allowedHosts", {
      hint: "give clientToken: a page in a browser could reach the proxy by such a name, and would need no token",
    });
  }
  const bindingBodyBytes = options.bindingBodyBytes ?? DEFAULT_BINDING_BYTES;
  const keyFields = keyFieldsBeside(options.forwardHeaders ?? []);
  let listener: SigningListener | undefined;
  const policy = createSigningPolicy({
    guard: createSigningGate({
      listener: () => listener,
      token,
      keyFields,
      allowedHosts,
    }),
    keyFields,
    isSecret: token?.isIn,
    threadHeaders: parseThreadHeaders(options.threadHeaders ?? DEFAULT_THREAD_HEADERS),
    threads: new SigningThreads({
      source: options.source,
      maxThreads: options.maxThreads ?? DEFAULT_THREADS,
    }),
    patience: {
      deadlineMs: options.credentialMs ?? DEFAULT_CREDENTIAL_MS,
      outageMs: OUTAGE_MS,
    },
    signer: options.signer ?? new AssertionSigner(),
    origin: parseOrigin(options.upstream, { insecureHttp }),
    baseUrl: parseAuthority(options.upstream, { insecureHttp }),
    forwardCookies: options.forwardCookies ?? false,
    forwardHeaders: options.forwardHeaders ?? [],
    replayBodyBytes: options.replayBodyBytes ?? DEFAULT_REPLAY_BYTES,
    bindingBodyBytes: options.binding === true ? bindingBodyBytes : undefined,
  });
  const forwarding = new ForwardingProxy({
    destination: { upstream, agent: createUpstreamAgent(upstream, options.upstreamTls) },
    policy,
    limits: resolveProxyLimits({
      ...options.limits,
      admitMs: options.limits?.admitMs ?? DEFAULT_ADMIT_MS,
    }),
    // Nothing that it sends is looked at again.
    recheckMs: LONGEST_TIMER_MS,
    audit: options.audit,
    canAudit: options.canAudit,
    observer: options.metrics?.observer,
    now,
  });
  const proxy: SigningProxy = {
    async listen(listenOptions) {
      const described = describeListener(listenOptions, {
        hasToken: token !== undefined,
        isOpen,
        allowRemote: options.allowRemote ?? false,
      });
      if (listener !== undefined) {
        throw new AssertionProxyError("config_invalid", "this proxy listens already");
      }
      // Known before the first request can arrive.
      listener = described;
      try {
        if ("socketPath" in listenOptions) {
          return await forwarding.listenOnSocket(listenOptions.socketPath);
        }
        return await forwarding.listen(listenOptions);
      } catch (error) {
        listener = undefined;
        throw error;
      }
    },
    isReady: () => forwarding.isReady(),
    setClientToken(other) {
      if (token === undefined) {
        throw new AssertionProxyError("config_invalid", "this proxy asks for no client token");
      }
      token.replace(other);
    },
    close: (closeOptions) => forwarding.close(closeOptions),
  };
  return { proxy, unref: () => forwarding.unref() };
}
