import { createWhoamiResponse, WHOAMI_PATH } from "@countersign/agent-identity/server";
import { authenticateHuman } from "../../humans/authenticate-human.js";
import { instantOf } from "../../registry/times.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import type { ServedOperation } from "../served-operation.js";

/** `GET /v1/whoami`: whose human token it is (protocol §5.10). */
export const whoamiOperation: ServedOperation = {
  method: "get",
  path: WHOAMI_PATH,
  summary: "Says whose token it is.",
  credentials: ["human"],
  answer: { description: "Account and user.", schema: PUBLIC_SCHEMAS.Whoami },
  refusals: ["forbidden"],
  audited: "whoami",
  addressLimit: "all_requests",
  serve: (context) => async (request) => {
    const token = readBearerToken(readHeaderLines(request.raw));
    return createWhoamiResponse(await authenticateHuman(context, token, instantOf(context.now)));
  },
};
