/**
 * What every part of Countersign does with one code. A new code is one new row, with its texts in `code-texts.ts`: servers, clients, the command line
 * and the table of protocol.md §9 follow from them.
 */
export interface CodeRow {
  /** The HTTP status of our servers' answers. Of a code that no server sends it is 500: sending it would be a defect. */
  readonly status: 400 | 401 | 403 | 409 | 429 | 500 | 502 | 503 | 504;
  /**
   * Who finds it: a verifier at the check of an assertion; any server in a request; or a program itself, in what is its own or what it
   * reached. The client of an authority ignores a code of the last kind in an answer, and goes by the status.
   */
  readonly givenBy: "verifier" | "server" | "self";
  /** What a client does on a 401 with it to a request with an assertion (protocol.md §10). */
  readonly onAssertion: "hand_up" | "new_task" | "correct_time" | "follow_rotation";
  /** What a client does if an authority refuses the registration of a task with it (protocol.md §10). */
  readonly onRegistration:
    | "hand_up"
    | "correct_time"
    | "follow_rotation"
    | "replace_agent"
    | "renew_agent";
  /** Whether the human's bearer may go out in place of an assertion, where that is declared: never after a refusal (protocol.md §10). */
  readonly allowsFallback: boolean;
  /** How a command ends with it: 1 failed, 2 usage, 3 no login or identity, 4 refused, 5 temporary. */
  readonly exitCode: 1 | 2 | 3 | 4 | 5;
}

/**
 * One row for each code of the protocol, in one vocabulary: errors, HTTP bodies, `WWW-Authenticate`, CLI JSON, audit log and metrics.
 *
 * @see docs/protocol.md §9
 */
export const CODE_ROWS = {
  // Assertions, in the order of their checks.
  missing: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  malformed: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  expired: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "correct_time",
    onRegistration: "correct_time",
    allowsFallback: false,
    exitCode: 4,
  },
  not_yet_valid: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "correct_time",
    onRegistration: "correct_time",
    allowsFallback: false,
    exitCode: 4,
  },
  unknown_agent: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "replace_agent",
    allowsFallback: false,
    exitCode: 4,
  },
  bad_signature: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "follow_rotation",
    onRegistration: "follow_rotation",
    allowsFallback: false,
    exitCode: 4,
  },
  agent_revoked: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  agent_expired: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "renew_agent",
    allowsFallback: false,
    exitCode: 4,
  },
  unknown_task: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  task_revoked: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  task_expired: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  forbidden: {
    status: 403,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  binding_required: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  binding_mismatch: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  replayed: {
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  upstream_refused: {
    status: 502,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 5,
  },
  // Registration and transport.
  unauthenticated: {
    status: 401,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  biscuit_invalid: {
    status: 401,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  invalid_request: {
    status: 400,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  invalid_key: {
    status: 409,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  agent_limit: {
    status: 403,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  task_limit: {
    status: 403,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  rate_limited: {
    status: 429,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
  },
  timeout: {
    status: 504,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
  },
  unreachable: {
    status: 502,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
  },
  bad_response: {
    status: 502,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
  },
  refused: {
    status: 502,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  },
  server_error: {
    status: 503,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
  },
  cancelled: {
    status: 503,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
  },
  // Stores.
  store_corrupt: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
  },
  store_locked: {
    status: 503,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 5,
  },
  store_denied: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
  },
  // Command line.
  usage: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 2,
  },
  config_invalid: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 2,
  },
  unknown_feature: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 2,
  },
  not_logged_in: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 3,
  },
  no_identity: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 3,
  },
  signer_failed: {
    status: 503,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 5,
  },
  address_in_use: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
  },
  internal: {
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
  },
} as const satisfies Readonly<Record<string, CodeRow>>;

/** One code of the protocol. */
export type Code = keyof typeof CODE_ROWS;

/** The codes whose rows have this value in this column. */
export type CodeWith<Column extends keyof CodeRow, Value extends CodeRow[Column]> = {
  [C in Code]: (typeof CODE_ROWS)[C][Column] extends Value ? C : never;
}[Code];
