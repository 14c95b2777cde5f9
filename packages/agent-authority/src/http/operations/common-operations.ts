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
      summary: "Says that the process answers.",
      answer: { description: "It does.", schema: healthSchema },
      refusals,
      ...OPEN_ROUTE,
      isProbe: true,
      serve: () => async () => ({ status: "ok" }),
    },
    isReady: {
      method: "get",
      path: "/readyz",
      summary: "Says that the process and its database answer.",
      answer: { description: "They do.", schema: healthSchema },
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
      summary: "This document.",
      answer: { description: "OpenAPI 3.1.", schema: openApiSchema },
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
