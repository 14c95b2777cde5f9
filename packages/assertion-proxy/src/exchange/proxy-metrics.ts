import type { Code } from "@countersign/agent-key";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { LIMIT_NAMES, type LimitName } from "../refusal/proxy-limit-name.js";

/** How a request ended, as far as figures go. */
export interface EndedRequest {
  readonly method: string;
  readonly status: number;
  readonly code: Code | undefined;
  readonly ms: number;
}

/** Called by a proxy as it works. */
export interface ProxyObserver {
  /** A request has begun; `ended` follows. */
  began(): void;
  /** Lines of an admitted request do not go to the upstream, because of the characters of their names. */
  leftOut(lines: number): void;
  /** A request became a WebSocket. */
  tunnelOpened(): void;
  tunnelClosed(): void;
  /** Bytes of a body or of a WebSocket arrived. */
  moved(from: "client" | "upstream", bytes: number): void;
  ended(request: EndedRequest): void;
  /** A request was refused, or a connection closed, because of this limit. */
  limited(limit: LimitName): void;
  /** Something ended that never was a request: what arrived could not be read. */
  refusedUnread(request: EndedRequest): void;
}

/** The figures of one proxy, in the text format that Prometheus reads. */
export interface ProxyMetrics {
  readonly contentType: string;
  /** Renders the current figures. */
  render(): Promise<string>;
  /** Takes by how many milliseconds the authority's clock is ahead. The figure is there from the first time on. */
  authorityClock(aheadMs: number): void;
  /** The proxy's side. */
  readonly observer: ProxyObserver;
}

const METHODS: ReadonlySet<string> = new Set([
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
]);
// An agent's turn streams for minutes.
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const TUNNEL_BUCKETS = [1, 10, 60, 300, 1_800, 3_600, 14_400, 86_400];
const UPSTREAM_CODES: ReadonlySet<Code> = new Set<Code>([
  "unreachable",
  "bad_response",
  "upstream_refused",
]);
const SWITCHING = 101;
const GATEWAY_TIMEOUT = 504;

/**
 * Makes the figures of one proxy, in a registry of its own: nothing is shared between two proxies of one process, and nothing is
 * global. Labels hold methods, statuses and codes, never an id, a path or a host.
 */
export function createProxyMetrics(): ProxyMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "countersign_proxy_requests_total",
    help: "Requests that ended, by method, status and code.",
    labelNames: ["method", "status", "code"] as const,
    registers,
  });
  const inFlight = new Gauge({
    name: "countersign_proxy_requests_in_flight",
    help: "Requests in work, open WebSockets among them.",
    registers,
  });
  const tunnels = new Gauge({
    name: "countersign_proxy_tunnels_open",
    help: "Open WebSockets.",
    registers,
  });
  const duration = new Histogram({
    name: "countersign_proxy_request_duration_seconds",
    help: "From the head of a request to the last byte of its answer.",
    labelNames: ["method"] as const,
    buckets: DURATION_BUCKETS,
    registers,
  });
  const tunnelDuration = new Histogram({
    name: "countersign_proxy_tunnel_duration_seconds",
    help: "From the head of a WebSocket's request to its end.",
    buckets: TUNNEL_BUCKETS,
    registers,
  });
  const bytes = new Counter({
    name: "countersign_proxy_bytes_total",
    help: "Bytes of bodies and WebSockets that arrived, by the side that sent them.",
    labelNames: ["from"] as const,
    registers,
  });
  const upstreamErrors = new Counter({
    name: "countersign_proxy_upstream_errors_total",
    help: "Requests that failed because of the upstream, by code.",
    labelNames: ["code"] as const,
    registers,
  });
  const fieldsLeftOut = new Counter({
    name: "countersign_proxy_fields_left_out_total",
    help: "Header and trailer lines of clients that were not forwarded because of the characters of their names.",
    registers,
  });
  const limited = new Counter({
    name: "countersign_proxy_limited_total",
    help: "Requests that were refused, and connections that were closed, because of a limit, by limit.",
    labelNames: ["limit"] as const,
    registers,
  });
  // Made with the first value: until then a 0 would say that the clocks agree.
  let clock: Gauge | undefined;
  const makeClock = () =>
    new Gauge({
      name: "countersign_proxy_authority_clock_ahead_seconds",
      help: "By how much the clock of the authority is ahead of this machine's; negative if it is behind.",
      registers,
    });
  // There from the start, so that the first one shows as a change.
  for (const from of ["client", "upstream"]) bytes.inc({ from }, 0);
  for (const code of [...UPSTREAM_CODES, "timeout"]) upstreamErrors.inc({ code }, 0);

  for (const limit of LIMIT_NAMES) limited.inc({ limit }, 0);

  function count({ method, status, code }: EndedRequest): void {
    requests.inc({
      method: METHODS.has(method) ? method : "other",
      status: status >= 100 && status <= 599 ? status : "other",
      code: code ?? "none",
    });
    if (code === undefined) return;
    if (UPSTREAM_CODES.has(code) || (code === "timeout" && status === GATEWAY_TIMEOUT)) {
      upstreamErrors.inc({ code });
    }
  }

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    authorityClock(aheadMs) {
      clock ??= makeClock();
      clock.set(aheadMs / 1_000);
    },
    observer: {
      began: () => inFlight.inc(),
      leftOut: (lines) => fieldsLeftOut.inc(lines),
      tunnelOpened: () => tunnels.inc(),
      tunnelClosed: () => tunnels.dec(),
      moved: (from, count) => bytes.inc({ from }, count),
      ended(request) {
        inFlight.dec();
        count(request);
        const seconds = request.ms / 1_000;
        if (request.status === SWITCHING) tunnelDuration.observe(seconds);
        else {
          const method = METHODS.has(request.method) ? request.method : "other";
          duration.observe({ method }, seconds);
        }
      },
      limited: (limit) => limited.inc({ limit }),
      refusedUnread: count,
    },
  };
}
