import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";
import { principalId } from "./fields.js";

/** Where a human's token is resolved, below the authority's base URL. */
export const WHOAMI_PATH = "/v1/whoami";

// Only advice: a wrong form of it fails no login.
const liveCount = (what: string) =>
  v.pipe(
    v.fallback(
      v.optional(
        v.object({
          live: v.pipe(
            v.number(),
            v.safeInteger(),
            v.minValue(0),
            v.description("How many live now."),
          ),
          limit: v.pipe(
            v.number(),
            v.safeInteger(),
            v.minValue(1),
            v.description("How many may live at the same time."),
          ),
        }),
      ),
      undefined,
    ),
    v.description(what),
  );

/** Answer of `GET {base}/v1/whoami` (protocol.md §5.10). Unknown members are ignored. */
export const whoamiResponseSchema = v.pipe(
  v.object({
    account_id: v.pipe(principalId("an account id"), v.description("The id of the account.")),
    user_id: v.pipe(principalId("a user id"), v.description("The id of the user in the account.")),
    agents: liveCount("The lasting agents of the user."),
    ephemeral_agents: liveCount("The ephemeral agents of the user."),
    tasks: liveCount("The tasks of the agent that was named, if it is the user's."),
  }),
  v.description(
    "Whose token it is, and how much of its limits the user has used, or an agent of it.",
  ),
);

/** How much of a limit is used. */
export interface LiveCount {
  /** How many live now. */
  readonly live: number;
  /** How many may live at the same time. */
  readonly limit: number;
}

/** Whose token it is. */
export interface Whoami {
  readonly accountId: string;
  readonly userId: string;
  /** The lasting agents of the user. Absent: the authority does not say. */
  readonly agents?: LiveCount | undefined;
  /** The ephemeral agents of the user. Absent: the authority does not say. */
  readonly ephemeralAgents?: LiveCount | undefined;
  /** The tasks of the agent that was named. Absent: none was named, it is not the user's, or the authority does not say. */
  readonly tasks?: LiveCount | undefined;
}

/** Makes the authority's answer. */
export function createWhoamiResponse(who: Whoami): v.InferInput<typeof whoamiResponseSchema> {
  const { accountId, userId, agents, ephemeralAgents, tasks } = who;
  return {
    account_id: accountId,
    user_id: userId,
    ...(agents === undefined ? {} : { agents }),
    ...(ephemeralAgents === undefined ? {} : { ephemeral_agents: ephemeralAgents }),
    ...(tasks === undefined ? {} : { tasks }),
  };
}

/**
 * Reads the parsed JSON answer.
 *
 * @throws {AgentIdentityError} `bad_response`
 */
export function parseWhoamiResponse(body: unknown): Whoami {
  const parsed = v.safeParse(whoamiResponseSchema, body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "bad_response",
      `the authority does not say whose token it is: ${describeIssues(parsed)}`,
      {
        hint: "check that the URL is that of an authority; if it is, name account and user yourself",
      },
    );
  }
  const { account_id, user_id, agents, ephemeral_agents, tasks } = parsed.output;
  return {
    accountId: account_id,
    userId: user_id,
    ...(agents === undefined ? {} : { agents }),
    ...(ephemeral_agents === undefined ? {} : { ephemeralAgents: ephemeral_agents }),
    ...(tasks === undefined ? {} : { tasks }),
  };
}
