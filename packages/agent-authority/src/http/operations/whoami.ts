import { createWhoamiResponse, WHOAMI_PATH } from "@countersign/agent-identity/server";
import { authenticateHuman } from "../../humans/authenticate-human.js";
import { type AgentKind, countLiveAgents } from "../../registry/count-live-agents.js";
import { instantOf } from "../../registry/times.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import type { ServedOperation } from "../served-operation.js";

/** `GET /v1/whoami`: whose human token it is (protocol §5.10). */
export const whoamiOperation: ServedOperation = {
  method: "get",
  path: WHOAMI_PATH,
  summary: "Shows whose token it is.",
  description:
    "For a login that knows its token alone (protocol §5.10). Shows also how many agents of the user live, and how many may.",
  credentials: ["human"],
  answer: { description: "The account and the user of the token.", schema: PUBLIC_SCHEMAS.Whoami },
  refusals: ["forbidden"],
  audited: "whoami",
  addressLimit: "all_requests",
  serve: (context) => async (request) => {
    const token = readBearerToken(readHeaderLines(request.raw));
    const instant = instantOf(context.now);
    const principal = await authenticateHuman(context, token, instant);
    const { maxLiveAgents, maxEphemeralAgents } = context.agentPolicy.limitsOf(principal);
    const count = (kind: AgentKind) =>
      countLiveAgents(context.store.rows, principal, kind, instant);
    return createWhoamiResponse({
      ...principal,
      agents: { live: await count("lasting"), limit: maxLiveAgents },
      ephemeralAgents: { live: await count("ephemeral"), limit: maxEphemeralAgents },
    });
  },
};
