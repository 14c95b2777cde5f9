import { describeIssues, isPrincipalId } from "@countersign/agent-key";
import * as z from "zod";
import { AgentIdentityError } from "../agent-identity-error.js";

/** Where a human's token is resolved, below the authority's base URL. */
export const WHOAMI_PATH = "/v1/whoami";

/** Answer of `GET {base}/v1/whoami` (protocol.md §5.10). Unknown members are ignored. */
export const whoamiResponseSchema = z.object({
  account_id: z.string().refine(isPrincipalId, "not an account id"),
  user_id: z.string().refine(isPrincipalId, "not a user id"),
});

/** Whose token it is. */
export interface Whoami {
  readonly accountId: string;
  readonly userId: string;
}

/** Makes the authority's answer. */
export function createWhoamiResponse(who: Whoami): z.input<typeof whoamiResponseSchema> {
  return { account_id: who.accountId, user_id: who.userId };
}

/**
 * Reads the parsed JSON answer.
 *
 * @throws {AgentIdentityError} `bad_response`
 */
export function parseWhoamiResponse(body: unknown): Whoami {
  const parsed = whoamiResponseSchema.safeParse(body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "bad_response",
      `the authority does not say whose token it is: ${describeIssues(parsed.error)}`,
      { cause: parsed.error, hint: "name account and user yourself" },
    );
  }
  return { accountId: parsed.data.account_id, userId: parsed.data.user_id };
}
