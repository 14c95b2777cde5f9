import type { DirectoryEvent } from "@countersign/agent-assertion/remote-directory";
import type { Code } from "@countersign/agent-key";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { LIMIT_NAMES, type LimitName } from "../refusal/proxy-limit-name.js";
import { processFigures } from "./process-figures.js";
import {
  type AuditLines,
  type CredentialEnds,
  type DirectoryFigures,
  registerAuditFigures,
  registerCredentialFigures,
  registerDirectoryFigures,
} from "./watched-figures.js";

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

/** What became of one report to the authority about the agents that were used. */
export interface UseReport {
  readonly outcome: "sent" | "failed";
  /** How many uses were dropped since the last report. */
  readonly dropped: number;
}

/** The figures of one proxy, in the text format that Prometheus reads. */
export interface ProxyMetrics {
  readonly contentType: string;
  /** Renders the current figures, and those of the process. */
  render(): Promise<string>;
  /** Takes by how many milliseconds the authority's clock is ahead. The figure is there from the first time on. */
  authorityClock(aheadMs: number): void;
  /** Takes what became of a report of uses (`onUseReport` of `remoteDirectory`). The figures are there from the first one on. */
  useReport(report: UseReport): void;
  /** Takes what gives the state of the audit's lines, for its figures. They are there from this call on. */
  audit(read: () => AuditLines): void;
  /** Takes what gives the state of the directory, for its figures. They are there from this call on. */
  directory(read: () => DirectoryFigures): void;
  /** Takes a lookup of the directory; `onLookup` of `remoteDirectory`. */
  directoryLookup(lookup: Pick<DirectoryEvent, "about" | "outcome">): void;
  /** Takes what gives when the proxy's credentials end, for a figure. It is there from this call on. */
  credentials(read: () => CredentialEnds | Promise<CredentialEnds>): void;
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
 * Makes the figures of one proxy, in a registry of its own: nothing but the figures of the process is shared between two proxies of one
 * process. Labels hold methods, statuses and codes, never an id, a path or a host.
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
  const refusals = new Counter({
    name: "countersign_proxy_refusals_total",
    help: "Requests that were refused or failed, by code.",
    labelNames: ["code"] as const,
    registers,
  });
  const lookups = new Counter({
    name: "countersign_proxy_directory_lookups_total",
    help: "Lookups of agents and tasks in the directory of an authority, by outcome.",
    labelNames: ["about", "outcome"] as const,
    registers,
  });
  const ofProcess = processFigures();
  // Made with the first value: until then a 0 would say that the clocks agree.
  let clock: Gauge | undefined;
  const makeClock = () =>
    new Gauge({
      name: "countersign_proxy_authority_clock_ahead_seconds",
      help: "By how much the clock of the authority is ahead of this machine's; negative if it is behind.",
      registers,
    });
  let reports: ReturnType<typeof registerReportFigures> | undefined;
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
    refusals.inc({ code });
    if (UPSTREAM_CODES.has(code) || (code === "timeout" && status === GATEWAY_TIMEOUT)) {
      upstreamErrors.inc({ code });
    }
  }

  return {
    contentType: registry.contentType,
    render: async () => (await registry.metrics()) + (await ofProcess.metrics()),
    authorityClock(aheadMs) {
      clock ??= makeClock();
      clock.set(aheadMs / 1_000);
    },
    useReport({ outcome, dropped }) {
      reports ??= registerReportFigures(registers);
      reports.sent.inc({ outcome });
      reports.dropped.inc(dropped);
    },
    audit: (read) => registerAuditFigures(registers, read),
    directory: (read) => registerDirectoryFigures(registers, read),
    directoryLookup: ({ about, outcome }) => lookups.inc({ about, outcome }),
    credentials: (read) => registerCredentialFigures(registers, read),
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

function registerReportFigures(registers: Registry[]) {
  return {
    sent: new Counter({
      name: "countersign_proxy_use_reports_total",
      help: "Reports to the authority about the agents that were used, by outcome.",
      labelNames: ["outcome"] as const,
      registers,
    }),
    dropped: new Counter({
      name: "countersign_proxy_uses_dropped_total",
      help: "Uses of agents and tasks that were not reported.",
      registers,
    }),
  };
}
