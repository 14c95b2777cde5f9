/**
 * What every part of Countersign does with one code. A new code is one new row: servers, clients, the command line and the table of
 * protocol.md §9 follow from it.
 */
export interface CodeRow {
  /** What happened, in the words of protocol.md §9. A verifier's rejection has it as its message. */
  readonly means: string;
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
  /** What to do about it if the error itself does not say. `{authority}` stands for the authority's URL. */
  readonly hint: string | undefined;
}

// `task ensure` alone would give what is stored: whether the task still lives, only the caller that was refused knows.
const NEW_TASK =
  "the thread's next request registers a new task; without one: countersign task forget, then countersign task ensure";

/**
 * One row for each code of the protocol, in one vocabulary: errors, HTTP bodies, `WWW-Authenticate`, CLI JSON, audit log and metrics.
 *
 * @see docs/protocol.md §9
 */
export const CODE_ROWS = {
  // Assertions, in the order of their checks.
  missing: {
    means: "the request has no assertion",
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: undefined,
  },
  malformed: {
    means: "the assertion does not have the form that the protocol gives it",
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: "send the field whole and unchanged, as countersign header prints it",
  },
  expired: {
    means: "the assertion is older than the clocks may differ",
    status: 401,
    givenBy: "verifier",
    onAssertion: "correct_time",
    onRegistration: "correct_time",
    allowsFallback: false,
    exitCode: 4,
    hint: "an assertion lives for minutes: make a new one when it is sent, and check both clocks",
  },
  not_yet_valid: {
    means: "the assertion is further in the future than the clocks may differ",
    status: 401,
    givenBy: "verifier",
    onAssertion: "correct_time",
    onRegistration: "correct_time",
    allowsFallback: false,
    exitCode: 4,
    hint: "check both clocks",
  },
  unknown_agent: {
    means: "the authority knows no such agent",
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "replace_agent",
    allowsFallback: false,
    exitCode: 4,
    hint: "check that client and server use the same authority; if they do, ask the operator of {authority}",
  },
  bad_signature: {
    means: "the signature does not hold under the agent's key",
    status: 401,
    givenBy: "verifier",
    onAssertion: "follow_rotation",
    onRegistration: "follow_rotation",
    allowsFallback: false,
    exitCode: 4,
    hint: "it was changed on its way, or signed by another key than the agent's",
  },
  agent_revoked: {
    means: "the agent was revoked",
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: "the operator of {authority} revoked this agent, and it never replaces itself: ask them",
  },
  agent_expired: {
    means: "the agent's registration is over",
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "renew_agent",
    allowsFallback: false,
    exitCode: 4,
    hint: "log in again: an agent is renewed under fresh human auth",
  },
  unknown_task: {
    means: "the agent has no such task",
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: `check that the task is this agent's; ${NEW_TASK}`,
  },
  task_revoked: {
    means: "the task was revoked",
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: NEW_TASK,
  },
  task_expired: {
    means: "the task is over",
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: NEW_TASK,
  },
  forbidden: {
    means: "the agent may not do this here",
    status: 403,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: "ask the operator of the server that refused: this login or agent may not do that",
  },
  binding_required: {
    means: "the assertion is not bound to the request",
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: undefined,
  },
  binding_mismatch: {
    means: "the assertion is bound to another request",
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: undefined,
  },
  replayed: {
    means: "the same bound request came before",
    status: 401,
    givenBy: "verifier",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: undefined,
  },
  upstream_refused: {
    means: "the upstream refused what the gateway sends in place of the assertion",
    status: 502,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 5,
    hint: undefined,
  },
  // Registration and transport.
  unauthenticated: {
    means: "the credential is not accepted, or none was sent",
    status: 401,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: "log in to {authority} again: it does not accept this login",
  },
  biscuit_invalid: {
    means: "the biscuit is not valid, or is for another request",
    status: 401,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: "log in to {authority} again; if it stays, check the authority's clock and its generations",
  },
  invalid_request: {
    means: "the request does not have the form that it must have",
    status: 400,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: undefined,
  },
  invalid_key: {
    means: "the key is not valid, or is another agent's",
    status: 409,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: "this key belongs to somebody else: forget the identity and register a new one",
  },
  rate_limited: {
    means: "too many requests came, and this one changed nothing",
    status: 429,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
    hint: "wait a little and try again",
  },
  timeout: {
    means: "no answer came in time",
    status: 504,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
    hint: undefined,
  },
  unreachable: {
    means: "no connection could be made, or it ended before the answer",
    status: 502,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
    hint: undefined,
  },
  bad_response: {
    means: "the answer is not one of the protocol",
    status: 502,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
    hint: "check that the authority's address is right and names an authority",
  },
  refused: {
    means: "the server refused, and gave no other code",
    status: 502,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
    hint: undefined,
  },
  server_error: {
    means: "the server cannot serve the request now",
    status: 503,
    givenBy: "server",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: true,
    exitCode: 5,
    hint: "try again later; if it stays, tell the operator of the server",
  },
  cancelled: {
    means: "the caller ended the operation",
    status: 503,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
    hint: undefined,
  },
  // Stores.
  store_corrupt: {
    means: "what is stored cannot be read",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
    hint: undefined,
  },
  store_locked: {
    means: "another process keeps the store busy",
    status: 503,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 5,
    hint: undefined,
  },
  store_denied: {
    means: "the store may not be read or written, or is open to others",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
    hint: undefined,
  },
  // Command line.
  usage: {
    means: "the command line is not valid",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 2,
    hint: undefined,
  },
  config_invalid: {
    means: "a setting or option is not valid",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 2,
    hint: undefined,
  },
  unknown_feature: {
    means: "there is no feature of this name",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 2,
    hint: undefined,
  },
  not_logged_in: {
    means: "no login is stored, or it does not serve here",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 3,
    hint: undefined,
  },
  no_identity: {
    means: "there is no agent to sign with",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 3,
    hint: undefined,
  },
  address_in_use: {
    means: "another process listens on this address",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
    hint: undefined,
  },
  internal: {
    means: "a defect of this program",
    status: 500,
    givenBy: "self",
    onAssertion: "hand_up",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 1,
    hint: undefined,
  },
} as const satisfies Readonly<Record<string, CodeRow>>;

/** One code of the protocol. */
export type Code = keyof typeof CODE_ROWS;

/** The codes whose rows have this value in this column. */
export type CodeWith<Column extends keyof CodeRow, Value extends CodeRow[Column]> = {
  [C in Code]: (typeof CODE_ROWS)[C][Column] extends Value ? C : never;
}[Code];
