import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuthorityContext } from "../http/authority-context.js";
import { originOf } from "../http/request-origin.js";
import { pathOf } from "./path-of.js";
import { traceRequest } from "./tracing.js";

const routes = new WeakMap<IncomingMessage, string>();

/** Keeps the pattern of the route that was found for a request. */
export function noteRoute(request: IncomingMessage, route: string | undefined): void {
  if (route !== undefined) routes.set(request, route);
}

/** Runs the handling of a request, whose origin is noted, and tells the log, the figures and the trace how it ended. */
export function observeRequest(
  { logger, observer, refusalCodes }: AuthorityContext,
  request: IncomingMessage,
  response: ServerResponse,
  run: () => void,
): void {
  const startedAt = performance.now();
  observer?.began();
  let endTrace: ReturnType<typeof traceRequest> | undefined;
  response.once("close", () => {
    const ms = performance.now() - startedAt;
    // A connection that went away got no answer, whatever status was prepared.
    const status = response.writableFinished ? response.statusCode : 499;
    const code = refusalCodes.get(response);
    const route = routes.get(request);
    const { method = "" } = request;
    observer?.ended({ method, route, status, code, ms });
    endTrace?.({ route, status, code });
    if (logger === undefined) return;
    const { requestId, address } = originOf(request);
    const fields = { method, path: pathOf(request), status, ms: Math.round(ms), code };
    logger.info({ ...fields, request_id: requestId, address }, "request");
  });
  endTrace = traceRequest(request, run);
}
