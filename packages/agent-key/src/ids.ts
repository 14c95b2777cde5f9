import { AgentKeyError } from "./agent-key-error.js";

// Visible ASCII without " # % / : < > ? \ : a colon would make the signed text ambiguous, the rest would reach a path.
const SERVER_ID = /^[!$&'()*+,\-.0-9;=@A-Z[\]^_`a-z{|}~]{1,256}$/;
// Printable ASCII without space, " , \ : such an id stands unquoted in headers and logs.
const PRINCIPAL_ID = /^[!#-+\--[\]-~]{1,256}$/;
const CONTROL = /\p{Cc}/u;
const MAX_SCOPE_CHARACTERS = 256;

/**
 * Returns whether a value may be an id that an authority made (`agent_runtime_id`, `task_id`): 1 to 256 visible ASCII characters other
 * than `" # % / : < > ? \`, and neither `.` nor `..`.
 *
 * @see docs/protocol.md §3
 */
export function isServerId(value: unknown): value is string {
  return typeof value === "string" && value !== "." && value !== ".." && SERVER_ID.test(value);
}

/**
 * Returns whether a value may be an account or user id: 1 to 256 printable ASCII characters without space, `"`, `,`, `\`.
 *
 * @see docs/protocol.md §3
 */
export function isPrincipalId(value: unknown): value is string {
  return typeof value === "string" && PRINCIPAL_ID.test(value);
}

/**
 * Returns the id of a thread or scope as it came, if it is one: 1 to 256 Unicode characters, whole surrogate pairs, no control characters.
 *
 * Such an id is the caller's; it never reaches a path or a URL unhashed.
 *
 * @throws {AgentKeyError} `invalid_request` when it is not
 * @see docs/protocol.md §3
 */
export function parseScopeId(value: string): string {
  if (typeof value !== "string" || value === "") {
    throw invalidScope("a thread id must be a text of at least one character");
  }
  // A character is one or two UTF-16 units: longer texts are not worth being looked at.
  if (value.length > 2 * MAX_SCOPE_CHARACTERS || [...value].length > MAX_SCOPE_CHARACTERS) {
    throw invalidScope("a thread id must not be longer than 256 characters");
  }
  if (!value.isWellFormed() || CONTROL.test(value)) {
    throw invalidScope("a thread id must be well-formed Unicode without control characters");
  }
  return value;
}

function invalidScope(message: string): AgentKeyError {
  return new AgentKeyError("invalid_request", message, {
    hint: "use the id of your conversation, for instance a UUID, or a hash of it",
  });
}
