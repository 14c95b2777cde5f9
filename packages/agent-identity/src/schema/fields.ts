import { isInstant, isPrincipalId, isServerId } from "@countersign/agent-key";
import * as v from "valibot";

/** An id that a server made (docs/protocol.md §3): safe in a path and in signed text. */
export const serverId = v.pipe(
  v.string(),
  v.check((id: string) => isServerId(id), "not a server's id"),
);

/** The id of an account or a user. */
export function principalId(what = "an account or user id") {
  return v.pipe(
    v.string(),
    v.check((id: string) => isPrincipalId(id), `not ${what}`),
  );
}

/** A string with a character in it. */
export const text = v.pipe(v.string(), v.nonEmpty());

/** A string of which nothing depends; another value counts as absent. */
export const note = v.fallback(v.optional(v.string()), undefined);

/** An instant as RFC 3339 writes it, with any offset. */
export const instant = v.pipe(
  v.string(),
  v.check(isInstant, "not an instant of RFC 3339"),
  v.metadata({ format: "date-time" }),
);
