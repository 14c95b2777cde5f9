import { LONGEST_TIMER_MS, numberIn } from "@countersign/agent-key";
import { checkOption } from "./option-checks.js";

/** What a proxy allows one request, one connection and all of them together. Times in milliseconds. */
export interface ProxyLimits {
  /** Bytes of a request's or an answer's head. Default 32,768: room for an assertion of 8 KiB and the rest. */
  readonly maxHeaderBytes: number;
  /** Bytes of one request body. Default `Infinity`: bodies stream through and are never held. */
  readonly maxBodyBytes: number;
  /**
   * Bytes of bodies that are held at the same time, since each is compared with its digest before it is sent; more are answered 503. In a gateway a
   * quarter of them for one agent and half for one account, unless it is the only one that is served; more are answered 429. A body
   * that is the only one of its agent, of its account or of all is held in any case. Default 268,435,456: 256 MiB.
   */
  readonly maxHeldBytes: number;
  /**
   * Requests in work at the same time; more are answered 503. Default 4,096. In a gateway those count whose signature held; so many others
   * may be checked at the same time, half of them from one address.
   */
  readonly maxRequests: number;
  /** Of these on one connection (pipelining); more are answered 429. Default 16. */
  readonly maxRequestsPerConnection: number;
  /** Gateway: of these for one agent; more are answered 429. Default 1,024. */
  readonly maxRequestsPerAgent: number;
  /** Gateway: of these for one account; more are answered 429. Default 2,048; without effect where it is the only account that is served. */
  readonly maxRequestsPerAccount: number;
  /**
   * Connections of the gateway's listener. When there are more, the oldest one is closed on which no request was verified, else the one that
   * has been idle for longest, else the new one. Default 8,192.
   */
  readonly maxConnections: number;
  /** Of these from one IPv4 address or IPv6 /64, trusted proxies apart. Default 4,096. */
  readonly maxConnectionsPerAddress: number;
  /** Until a request's head must have arrived. Default 30,000. */
  readonly requestHeadMs: number;
  /** Until it must be decided whether a request may pass (the directory's answer). Default 30,000. */
  readonly admitMs: number;
  /** Until the upstream must have taken the connection. Default 10,000. */
  readonly connectMs: number;
  /**
   * Until the upstream's head must have arrived, counted from the last byte of the body that moved. Default 900,000: 15 minutes, since
   * models that think are silent for long.
   */
  readonly responseMs: number;
  /** How long a body may stand still, in either direction, after the upstream's head; or a refusal that its client does not read. Default 900,000. */
  readonly idleMs: number;
  /**
   * How long a WebSocket may stand still. Default 3,600,000: an hour, since agents keep theirs open from one turn to the next. Pings count
   * as movement; a side that vanished is noticed sooner, by the kernel's probes.
   */
  readonly tunnelIdleMs: number;
  /** How long an upstream may leave `Expect: 100-continue` unanswered before the body is sent all the same. Default 1,000. */
  readonly continueMs: number;
}

const DEFAULTS: ProxyLimits = {
  maxHeaderBytes: 32_768,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxHeldBytes: 268_435_456,
  maxRequests: 4_096,
  maxRequestsPerConnection: 16,
  maxRequestsPerAgent: 1_024,
  maxRequestsPerAccount: 2_048,
  maxConnections: 8_192,
  maxConnectionsPerAddress: 4_096,
  requestHeadMs: 30_000,
  admitMs: 30_000,
  connectMs: 10_000,
  responseMs: 900_000,
  idleMs: 900_000,
  tunnelIdleMs: 3_600_000,
  continueMs: 1_000,
};

const COUNT = numberIn(1, Number.MAX_SAFE_INTEGER);
const BODY_BYTES = numberIn(0, Number.MAX_SAFE_INTEGER);
const MILLISECONDS = numberIn(1, LONGEST_TIMER_MS);

/** A caller's part of {@link ProxyLimits}. */
export type ProxyLimitOptions = { readonly [Name in keyof ProxyLimits]?: number | undefined };

/**
 * Fills in the defaults.
 *
 * @throws {AssertionProxyError} `config_invalid` for a limit that is not an integer from 1 up (`maxBodyBytes`: from 0, or `Infinity`)
 */
export function resolveProxyLimits(options: ProxyLimitOptions = {}): ProxyLimits {
  const limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof ProxyLimits)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (name !== "maxBodyBytes") {
      checkOption(`limits.${name}`, value, name.endsWith("Ms") ? MILLISECONDS : COUNT);
    } else if (value !== Number.POSITIVE_INFINITY) {
      checkOption(`limits.${name}`, value, BODY_BYTES);
    }
    limits[name] = value;
  }
  return limits;
}
