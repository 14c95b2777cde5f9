import { CountersignError } from "@countersign/agent-key";
import type { AuthorityLogger } from "../authority-types.js";
import { tokenRefusalFields } from "../humans/token-refusal.js";
import { isStoreFailure } from "../store/store-failure.js";

/**
 * Logs what a client does not learn: a defect, an unreachable database or issuer, and why an issuer's token was refused. Logs no other
 * refusals, because the line of the request has their code.
 */
export function logTrouble(
  logger: AuthorityLogger | undefined,
  error: unknown,
  requestId: string,
  isInternal: boolean,
): void {
  const fields = { request_id: requestId };
  if (isInternal) logger?.error({ ...fields, err: error }, "request failed");
  else if (CountersignError.is(error) && error.code === "unreachable") {
    logger?.error({ ...fields, err: error }, "something that the authority needs is unreachable");
  } else if (isStoreFailure(error) && error.code !== "store_locked") {
    logger?.error({ ...fields, err: error }, "the database cannot be used");
  }
  const refusal = tokenRefusalFields(error);
  if (refusal !== undefined)
    logger?.info({ ...fields, ...refusal }, "an issuer's token was refused");
}
