import { AgentAuthorityError } from "../agent-authority-error.js";
import { missingTable } from "./missing-table.js";

// Classes and codes of SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
const CONNECTION_CLASSES = /^(08|57P)/;
const REFUSED_CLASSES = /^28|^42501$|^3D000$/;
// A table or the schema is missing; PostgreSQL says the same where the user has lost USAGE of the schema.
const MISSING = /^(?:42P01|3F000)$/;
// Full, out of memory; an error of its disk.
const TROUBLE_CLASSES = /^(53|58)/;
const DAMAGED = /^XX00[12]$/;
const READ_ONLY = "25006";
const PROTOCOL_VIOLATION = "08P01";
const INVALID_PARAMETER_VALUE = "22023";
const LOCK_NOT_AVAILABLE = "55P03";
const STATEMENT_TIMEOUT = "57014";
const UNIQUE_VIOLATION = "23505";
const RACE_CODES: ReadonlySet<string> = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  UNIQUE_VIOLATION, // somebody else's row came first, which the next attempt sees
]);
// What pg and its pool say without a code when a connection goes away or none is to be had.
const LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after)|is not currently accepting connections$/i;
// OpenSSL's and Node's codes of a handshake or certificate, and what pg says without one.
const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|CERT_|CRL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/;
const TLS_MESSAGES = /^The server does not support SSL|^There was an error establishing an SSL/;
const SOCKET_CODES = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_|ENOENT$)/;

/** Turns an error of PostgreSQL about the server or its connection into one of ours; anything else comes back as it is. */
export function toPostgresError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === LOCK_NOT_AVAILABLE || code === STATEMENT_TIMEOUT) {
    return new AgentAuthorityError("store_locked", "the database did not answer in time", {
      cause: error,
      retryable: true,
      hint: "try again; if it lasts, look for a transaction that is held open",
    });
  }
  if (TLS_CODES.test(code) || TLS_MESSAGES.test(error.message)) {
    return new AgentAuthorityError(
      "unreachable",
      `no TLS connection to PostgreSQL: ${code || "it does not offer TLS"}`,
      {
        cause: error,
        hint: "check sslmode and sslrootcert of the database URL, and the server's certificate: its issuer, name and dates",
      },
    );
  }
  if (code === PROTOCOL_VIOLATION && error.message.includes("startup parameter")) {
    return new AgentAuthorityError(
      "config_invalid",
      `the pooler before PostgreSQL refuses the database URL: ${error.message}`,
      {
        cause: error,
        hint: "leave the parameter out of the database URL, and set it for the role: alter role … set …",
      },
    );
  }
  if (code === INVALID_PARAMETER_VALUE) {
    return new AgentAuthorityError(
      "config_invalid",
      `PostgreSQL refuses a parameter of the database URL: ${error.message}`,
      { cause: error, hint: "give a value that PostgreSQL takes, for instance 30s" },
    );
  }
  if (REFUSED_CLASSES.test(code)) {
    return new AgentAuthorityError(
      "store_denied",
      `PostgreSQL does not let this user in: ${error.message}`,
      {
        cause: error,
        hint: "check the user, its password and rights, and that the database of the URL exists",
      },
    );
  }
  if (MISSING.test(code)) return missingTable(error);
  if (DAMAGED.test(code)) {
    return new AgentAuthorityError("store_corrupt", "the database is damaged", {
      cause: error,
      hint: "look at PostgreSQL's log and disk; restore a backup",
    });
  }
  if (code === READ_ONLY) {
    return new AgentAuthorityError("unreachable", "the database takes no writes", {
      cause: error,
      retryable: true,
      hint: "it is a standby, or set to default_transaction_read_only: name the primary in the database URL",
    });
  }
  const isLost =
    CONNECTION_CLASSES.test(code) ||
    TROUBLE_CLASSES.test(code) ||
    SOCKET_CODES.test(code) ||
    LOST.test(error.message);
  if (!isLost) return error;
  return new AgentAuthorityError(
    "unreachable",
    `the database cannot be reached: ${reasonOf(error, code)}`,
    {
      cause: error,
      retryable: true,
      hint: "check that PostgreSQL runs at the address of the database URL, and its connection limit",
    },
  );
}

/** Returns whether a transaction lost a race. Another attempt sees the change of the winner. */
export function isLostRace(error: unknown): boolean {
  return error instanceof Error && RACE_CODES.has(codeOf(error));
}

/** Returns whether a transaction failed on a row that another one had written first. */
export function isRowInTheWay(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === UNIQUE_VIOLATION;
}

/** The error of a transaction that lost every race. */
export function lostRace(cause: unknown): AgentAuthorityError {
  return new AgentAuthorityError("store_locked", "others changed the same rows again and again", {
    cause,
    retryable: true,
    hint: "try again",
  });
}

// Where a name has several addresses, the error has one for each, and no message of its own.
function reasonOf(error: Error, code: string): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return (first instanceof Error && first.message) || code;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
