import type { Code } from "@countersign/agent-key";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { SHED_REASONS, type ShedReason } from "../limits/load-gate.js";
import { LIMIT_KINDS, type LimitKind } from "../limits/rate-limits.js";
import type { PoolState, StoreObserver } from "../store/store-events.js";
import type { StoreFigures } from "../store/store-figures.js";
import { processFigures } from "./process-figures.js";

/** How a request ended, as far as figures go. */
export interface EndedRequest {
  readonly method: string;
  /** The pattern of the route, with the names of its parameters; `undefined` where no route was found. */
  readonly route: string | undefined;
  /** What was registered if it was answered 200. */
  readonly registers?: "agent" | "task" | undefined;
  readonly status: number;
  readonly code: Code | undefined;
  readonly ms: number;
}

/** Called by an authority as it works. */
export interface AuthorityObserver extends StoreObserver {
  /** A request has begun; `ended` follows. */
  began(): void;
  ended(request: EndedRequest): void;
  /** Something was refused that never was a request: what arrived could not be read. */
  refusedUnread(request: EndedRequest): void;
  /** A request was turned away for too much load. */
  shed(reason: ShedReason): void;
  /** A request was refused by a limit. */
  rateLimited(kind: LimitKind): void;
  /** A registration was admitted that used 80 % of a limit of what lives, or more. */
  nearLimit(of: (typeof LIVE_LIMITS)[number]): void;
  /** From then on the connections to PostgreSQL are shown. */
  watchPool(read: () => PoolState): void;
  /** From then on what the database holds is shown, as it was last read. */
  watchStore(read: () => StoreFigures): void;
}

/** The figures of one authority, in the text format that Prometheus reads. */
export interface AuthorityMetrics {
  readonly contentType: string;
  /** Renders the current figures, and those of the process. */
  render(): Promise<string>;
  /** The authority's side. */
  readonly observer: AuthorityObserver;
}

/** Options of {@link createAuthorityMetrics}. */
export interface AuthorityMetricsOptions {
  /** Of the program, for `countersign_authority_build_info`. Default `unknown`. */
  readonly version?: string | undefined;
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
const REQUEST_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const GROUP_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128];
const REGISTERED = ["task", "agent"] as const;
const LIVE_LIMITS = ["agents", "ephemeral_agents", "tasks"] as const;

/**
 * Makes the figures of one authority, in a registry of its own: nothing but the figures of the process is shared between two authorities of one
 * process. Labels hold methods, patterns of routes, statuses and codes, never an id, an address or a path that was sent.
 */
export function createAuthorityMetrics(options: AuthorityMetricsOptions = {}): AuthorityMetrics {
  const registry = new Registry();
  const registers = [registry];
  const name = (suffix: string) => `countersign_authority_${suffix}`;
  const requests = new Counter({
    name: name("requests_total"),
    help: "Requests that ended, by method, route, status and code.",
    labelNames: ["method", "route", "status", "code"] as const,
    registers,
  });
  const duration = new Histogram({
    name: name("request_duration_seconds"),
    help: "From the head of a request to the last byte of its answer.",
    labelNames: ["method", "route"] as const,
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const inFlight = new Gauge({
    name: name("requests_in_flight"),
    help: "Requests in work.",
    registers,
  });
  const registrations = new Counter({
    name: name("registrations_total"),
    help: "Registrations that were answered 200, repeated ones among them, by kind.",
    labelNames: ["kind"] as const,
    registers,
  });
  const refusals = new Counter({
    name: name("refusals_total"),
    help: "Requests that were refused, by code.",
    labelNames: ["code"] as const,
    registers,
  });
  const rateLimited = new Counter({
    name: name("rate_limited_total"),
    help: "Requests that were refused by a limit, by what it counts.",
    labelNames: ["by"] as const,
    registers,
  });
  const nearLimit = new Counter({
    name: name("near_limit_total"),
    help: "Registrations that used 80 % or more of a limit of live agents or tasks, by limit.",
    labelNames: ["of"] as const,
    registers,
  });
  const shed = new Counter({
    name: name("shed_total"),
    help: "Requests that were turned away for too much load, by reason.",
    labelNames: ["reason"] as const,
    registers,
  });
  const transactions = new Histogram({
    name: name("transaction_duration_seconds"),
    help: "Transactions of the database with all that they waited for, by outcome.",
    labelNames: ["outcome"] as const,
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const groups = new Histogram({
    name: name("commit_group_size"),
    help: "Transactions that went to disk in one commit (SQLite).",
    buckets: GROUP_BUCKETS,
    registers,
  });
  new Gauge({
    name: name("build_info"),
    help: "1, with the versions of the program and of Node.js.",
    labelNames: ["version", "node"] as const,
    registers,
  }).set({ version: options.version ?? "unknown", node: process.version }, 1);
  // There from the start, so that the first one shows as a change.
  for (const kind of REGISTERED) registrations.inc({ kind }, 0);
  for (const by of LIMIT_KINDS) rateLimited.inc({ by }, 0);
  for (const of of LIVE_LIMITS) nearLimit.inc({ of }, 0);
  for (const reason of SHED_REASONS) shed.inc({ reason }, 0);

  const ofProcess = processFigures();

  function count({ method, route = "none", status, code }: EndedRequest): void {
    requests.inc({
      method: METHODS.has(method) ? method : "other",
      route,
      status,
      code: code ?? "none",
    });
    if (code !== undefined) refusals.inc({ code });
  }

  return {
    contentType: registry.contentType,
    render: async () => (await registry.metrics()) + (await ofProcess.metrics()),
    observer: {
      began: () => inFlight.inc(),
      ended(request) {
        inFlight.dec();
        count(request);
        const { method, route = "none", registers, status, ms } = request;
        duration.observe({ method: METHODS.has(method) ? method : "other", route }, ms / 1_000);
        if (status === 200 && registers !== undefined) registrations.inc({ kind: registers });
      },
      refusedUnread: count,
      shed: (reason) => shed.inc({ reason }),
      rateLimited: (by) => rateLimited.inc({ by }),
      nearLimit: (of) => nearLimit.inc({ of }),
      transactionEnded: (outcome, ms) => transactions.observe({ outcome }, ms / 1_000),
      groupCommitted: (size) => groups.observe(size),
      watchPool(read) {
        if (registry.getSingleMetric(name("database_connections")) !== undefined) return;
        new Gauge({
          name: name("database_connections"),
          help: "Connections to PostgreSQL, and requests that wait for one, by state.",
          labelNames: ["state"] as const,
          registers,
          collect() {
            const { total, idle, waiting } = read();
            this.set({ state: "idle" }, idle);
            this.set({ state: "used" }, total - idle);
            this.set({ state: "waited_for" }, waiting);
          },
        });
      },
      watchStore(read) {
        if (registry.getSingleMetric(name("database_size_bytes")) === undefined) {
          registerStoreFigures(registers, name, read);
        }
      },
    },
  };
}

function registerStoreFigures(
  registers: Registry[],
  name: (suffix: string) => string,
  read: () => StoreFigures,
): void {
  const figures: readonly [keyof StoreFigures, string, string][] = [
    ["liveAgents", "live_agents", "Agents that are active and have not ended."],
    ["liveTasks", "live_tasks", "Tasks that are active and have not ended."],
    [
      "sizeBytes",
      "database_size_bytes",
      "Size of the database; of SQLite with its write-ahead log.",
    ],
  ];
  for (const [member, suffix, help] of figures) {
    new Gauge({
      name: name(suffix),
      help,
      registers,
      collect() {
        const value = read()[member];
        // A 0 would say that there are none.
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
}
