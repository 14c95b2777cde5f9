import { AgentAuthorityError } from "../../agent-authority-error.js";
import type { DocumentedRefusal } from "../../operations/operation.js";
import { isAnswering } from "../is-answering.js";
import { isLoopbackRequest } from "../loopback-request.js";
import type { OpenApiDocument } from "../openapi/create-document.js";
import { healthSchema } from "../openapi/health-schema.js";
import { openApiSchema } from "../openapi/openapi-schema.js";
import { OPEN_ROUTE, type ServedOperations } from "../served-operation.js";

// It changes with the configuration, and with where the caller is.
const DOCUMENT_CACHE_CONTROL = "private, max-age=60";

/**
 * The requests that every listener answers.
 *
 * @param describe - makes the listener's document for callers on this machine's loopback, or for all others
 * @param refusals - what any request of the listener may be refused with
 */
export function commonOperations(
  describe: (isOnLoopback: boolean) => OpenApiDocument,
  refusals?: readonly DocumentedRefusal[],
): ServedOperations {
  return {
    isAlive: {
      method: "get",
      path: "/healthz",
      summary: "Answers whether the process runs.",
      description:
        "For a probe of liveness. It is answered under any load, and does not use the database.",
      answer: { description: "The process runs.", schema: healthSchema },
      refusals,
      ...OPEN_ROUTE,
      isProbe: true,
      serve: () => async () => ({ status: "ok" }),
    },
    isReady: {
      method: "get",
      path: "/readyz",
      summary: "Answers whether the process and its database can be used.",
      description:
        "For a probe of readiness. If the database cannot be read and written, the answer is 503.",
      answer: { description: "Both can be used.", schema: healthSchema },
      refusals,
      ...OPEN_ROUTE,
      isProbe: true,
      serve:
        ({ store }) =>
        async () => {
          if (await isAnswering(store)) return { status: "ok" };
          throw new AgentAuthorityError("unreachable", "the database cannot be used");
        },
    },
    readOpenApi: {
      method: "get",
      path: "/openapi.json",
      summary: "Shows this document.",
      description:
        "It describes this listener as it is configured, for the caller: whether a token is needed may depend on where the caller is.",
      answer: { description: "An OpenAPI 3.1 document.", schema: openApiSchema },
      refusals,
      ...OPEN_ROUTE,
      serve() {
        // Made when it is asked for first: most processes never are.
        const bodies = new Map<boolean, string>();
        return async (request, reply) => {
          const isOnLoopback = isLoopbackRequest(request.raw);
          const body = bodies.get(isOnLoopback) ?? JSON.stringify(describe(isOnLoopback));
          bodies.set(isOnLoopback, body);
          return reply
            .header("cache-control", DOCUMENT_CACHE_CONTROL)
            .type("application/json")
            .send(body);
        };
      },
    },
  };
}
