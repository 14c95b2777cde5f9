import { createWhoamiResponse, WHOAMI_PATH } from "@countersign/agent-identity/server";
import * as z from "zod";
import { authenticateHuman } from "../../humans/authenticate-human.js";
import { type AgentKind, countLiveAgents } from "../../registry/count-live-agents.js";
import { countTasks } from "../../registry/count-stopped.js";
import { findAgent } from "../../registry/operate-agents.js";
import type { Principal } from "../../registry/principal.js";
import { type Instant, instantOf } from "../../registry/times.js";
import { agentRuntimeId } from "../../schema/wire-fields.js";
import type { Rows } from "../../store/authority-store.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import type { ServedOperation } from "../served-operation.js";

const query = z.object({
  agent_runtime_id: agentRuntimeId
    .exactOptional()
    .describe("An agent of the user, whose tasks are counted. Another agent is ignored."),
});

/** `GET /v1/whoami`: whose human token it is (protocol §5.10). */
export const whoamiOperation: ServedOperation = {
  method: "get",
  path: WHOAMI_PATH,
  summary: "Shows whose token it is.",
  description:
    "For a login that knows its token alone (protocol §5.10). Shows also how many agents of the user live, and how many may, and the same of the tasks of one of its agents, if that is named.",
  credentials: ["human"],
  query,
  answer: { description: "The account and the user of the token.", schema: PUBLIC_SCHEMAS.Whoami },
  refusals: ["forbidden"],
  audited: "whoami",
  addressLimit: "all_requests",
  serve: (context) => async (request) => {
    const token = readBearerToken(readHeaderLines(request.raw));
    const instant = instantOf(context.now);
    const principal = await authenticateHuman(context, token, instant);
    const { rows } = context.store;
    const limits = context.agentPolicy.limitsOf(principal);
    const count = (kind: AgentKind) => countLiveAgents(rows, principal, kind, instant);
    const agent = await ownAgent(rows, request.query, principal, instant);
    return createWhoamiResponse({
      ...principal,
      agents: { live: await count("lasting"), limit: limits.maxLiveAgents },
      ephemeralAgents: { live: await count("ephemeral"), limit: limits.maxEphemeralAgents },
      ...(agent && {
        tasks: { live: await countTasks(rows, [agent], instant), limit: limits.maxLiveTasks },
      }),
    });
  },
};

/** The agent that the request names, if it is the user's. Any other is as one that is not there: nothing about it is answered. */
async function ownAgent(
  rows: Rows,
  asked: unknown,
  { accountId, userId }: Principal,
  instant: Instant,
): Promise<string | undefined> {
  const { data } = query.safeParse(asked);
  if (data?.agent_runtime_id === undefined) return undefined;
  const agent = await findAgent(rows, data.agent_runtime_id, instant);
  const isOwn = agent?.account_id === accountId && agent.user_id === userId;
  return isOwn ? agent.agent_runtime_id : undefined;
}
