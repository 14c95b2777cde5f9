import { AgentAuthorityError } from "../agent-authority-error.js";

/** The error of a query whose table is not there, or not for this user. */
export function missingTable(cause: unknown): AgentAuthorityError {
  return new AgentAuthorityError(
    "store_denied",
    "a table of the authority is missing, or this user may not use its schema",
    {
      cause,
      hint: "check the search path of the user and its USAGE of the schema; restore a lost table from a backup",
    },
  );
}
