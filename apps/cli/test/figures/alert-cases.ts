/** Series by their names, with their values each minute as promtool writes them: `0+5x9` is 0, 5, … 45; `7x9` is ten times 7. */
export type Series = Readonly<Record<string, string>>;

/** What an alert is tried with. */
export interface AlertCases {
  /** When it is looked at. */
  readonly minutes: number;
  readonly fires: readonly Series[];
  readonly silent: readonly Series[];
}

const ON_GATEWAY = 'job="countersign-gateway",instance="gateway-1"';
const ON_AUTHORITY = 'job="countersign-authority",instance="authority-1"';
const proxy = (name: string, labels = "") =>
  `countersign_proxy_${name}{${ON_GATEWAY}${labels && `,${labels}`}}`;
const authority = (name: string, labels = "") =>
  `countersign_authority_${name}{${ON_AUTHORITY}${labels && `,${labels}`}}`;
const credential = (name: string) => proxy("credential_expires_in_seconds", `credential="${name}"`);
const state = (name: string) => proxy("directory_state", `state="${name}"`);

/** Each alert of docs/operating/alerts.yml. */
export const ALERT_CASES: Readonly<Record<string, AlertCases>> = {
  CountersignDown: {
    minutes: 5,
    fires: [{ [`up{${ON_GATEWAY}}`]: "0x9" }],
    silent: [{ [`up{${ON_GATEWAY}}`]: "1 0 1 1 0 1" }, { 'up{job="node",instance="a"}': "0x9" }],
  },
  CountersignRestarts: {
    minutes: 6,
    fires: [{ [`process_start_time_seconds{${ON_GATEWAY}}`]: "1 2 3 4 4 4 4" }],
    silent: [{ [`process_start_time_seconds{${ON_GATEWAY}}`]: "1 2 3 3 3 3 3" }],
  },
  CountersignEventLoopSlow: {
    minutes: 8,
    fires: [{ [`nodejs_eventloop_lag_p99_seconds{${ON_AUTHORITY}}`]: "0.6x9" }],
    silent: [
      { [`nodejs_eventloop_lag_p99_seconds{${ON_AUTHORITY}}`]: "0.6x3 0.01x6" },
      { 'nodejs_eventloop_lag_p99_seconds{job="other",instance="a"}': "0.6x9" },
    ],
  },
  CountersignFilesRunOut: {
    minutes: 8,
    fires: [
      {
        [`process_open_fds{${ON_GATEWAY}}`]: "900x9",
        [`process_max_fds{${ON_GATEWAY}}`]: "1024x9",
      },
    ],
    silent: [
      {
        [`process_open_fds{${ON_GATEWAY}}`]: "700x9",
        [`process_max_fds{${ON_GATEWAY}}`]: "1024x9",
      },
    ],
  },
  CountersignAuthorityFails: {
    minutes: 15,
    fires: [
      {
        [authority("requests_total", 'status="200"')]: "0+90x19",
        [authority("requests_total", 'status="503"')]: "0+10x19",
      },
    ],
    silent: [
      {
        [authority("requests_total", 'status="200"')]: "0+90x19",
        [authority("requests_total", 'status="503"')]: "0+2x19",
        [authority("requests_total", 'status="401"')]: "0+50x19",
      },
    ],
  },
  CountersignAuthoritySheds: {
    minutes: 18,
    fires: [{ [authority("shed_total", 'reason="event_loop"')]: "0+1x19" }],
    silent: [{ [authority("shed_total", 'reason="event_loop"')]: "0 5x18" }],
  },
  CountersignAuthorityLimits: {
    minutes: 25,
    fires: [{ [authority("rate_limited_total", 'by="address"')]: "0+120x29" }],
    silent: [{ [authority("rate_limited_total", 'by="address"')]: "0+30x29" }],
  },
  CountersignDatabaseConnectionsShort: {
    minutes: 8,
    fires: [{ [authority("database_connections", 'state="waited_for"')]: "3x9" }],
    silent: [
      { [authority("database_connections", 'state="waited_for"')]: "3x2 0x6" },
      { [authority("database_connections", 'state="used"')]: "10x9" },
    ],
  },
  CountersignCannotVerify: {
    minutes: 3,
    fires: [
      { [state("unreachable")]: "1x4", [state("fresh")]: "0x4" },
      { [state("refused")]: "1x4", [state("fresh")]: "0x4" },
    ],
    silent: [
      { [state("stale")]: "1x4", [state("unreachable")]: "0x4" },
      { [state("fresh")]: "1x4", [state("refused")]: "0x4" },
    ],
  },
  CountersignDirectoryStale: {
    minutes: 3,
    fires: [{ [state("stale")]: "1x4" }],
    silent: [{ [state("stale")]: "0x4", [state("fresh")]: "1x4" }],
  },
  CountersignTokenEnds: {
    minutes: 8,
    fires: [{ [credential("directory_token")]: "600000x9" }],
    silent: [{ [credential("directory_token")]: "700000x9", [credential("upstream")]: "3600x9" }],
  },
  CountersignTokenEndsSoon: {
    minutes: 8,
    fires: [
      { [credential("directory_token")]: "80000x9" },
      { [credential("directory_token")]: "-60-60x9" },
    ],
    silent: [{ [credential("directory_token")]: "90000x9" }],
  },
  CountersignUpstreamCredentialEnded: {
    minutes: 5,
    fires: [{ [credential("upstream")]: "60-60x9" }],
    // Renewed each hour.
    silent: [{ [credential("upstream")]: "120x9" }, { [credential("login")]: "0x9" }],
  },
  CountersignAuditNotWritten: {
    minutes: 4,
    fires: [{ [proxy("audit_oldest_seconds")]: "10 70 130 190 250" }],
    silent: [{ [proxy("audit_oldest_seconds")]: "0 31 0 31 0" }],
  },
  CountersignAuditLost: {
    minutes: 5,
    fires: [{ [proxy("audit_lost_total")]: "0 0 5 5 5 5" }],
    silent: [{ [proxy("audit_lost_total")]: "5x9" }],
  },
  CountersignUpstreamFails: {
    minutes: 15,
    fires: [
      {
        [proxy("upstream_errors_total", 'code="timeout"')]: "0+10x19",
        [proxy("requests_total", 'code="timeout"')]: "0+10x19",
        [proxy("requests_total", 'code="none"')]: "0+90x19",
      },
    ],
    silent: [
      {
        [proxy("upstream_errors_total", 'code="timeout"')]: "0+2x19",
        [proxy("requests_total", 'code="timeout"')]: "0+2x19",
        [proxy("requests_total", 'code="none"')]: "0+90x19",
      },
    ],
  },
  CountersignProxyLimits: {
    minutes: 18,
    fires: [{ [proxy("limited_total", 'limit="requests_per_agent"')]: "0+120x19" }],
    silent: [{ [proxy("limited_total", 'limit="requests_per_agent"')]: "0+30x19" }],
  },
  CountersignForgeries: {
    minutes: 18,
    fires: [
      { [proxy("refusals_total", 'code="bad_signature"')]: "0+120x19" },
      {
        [proxy("refusals_total", 'code="unknown_agent"')]: "0+40x19",
        [proxy("refusals_total", 'code="agent_revoked"')]: "0+40x19",
      },
    ],
    silent: [{ [proxy("refusals_total", 'code="timeout"')]: "0+120x19" }],
  },
  CountersignClocksDiffer: {
    minutes: 8,
    fires: [
      { [proxy("authority_clock_ahead_seconds")]: "-40x9" },
      { [proxy("authority_clock_ahead_seconds")]: "40x9" },
    ],
    silent: [{ [proxy("authority_clock_ahead_seconds")]: "-20x9" }],
  },
};
