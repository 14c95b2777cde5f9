import type { IncomingMessage, ServerResponse } from "node:http";
import { pathOf } from "../observe/path-of.js";
import { traceRequest } from "../observe/trace-request.js";
import type { AuthorityContext } from "./authority-context.js";
import type { RequestState } from "./request-state.js";

/** Runs the handler of a request, and records in the log, the metrics and the trace how the request ended. */
export function observeRequest(
  { logger, observer }: AuthorityContext,
  state: RequestState,
  request: IncomingMessage,
  response: ServerResponse,
  run: () => void,
): void {
  const startedAt = performance.now();
  observer?.began();
  const trace = traceRequest(request);
  state.trace = trace;
  response.once("close", () => {
    const ms = performance.now() - startedAt;
    // A client that closed its connection got no answer, also if a status was prepared.
    const status = response.writableFinished ? response.statusCode : 499;
    const { route, registers, refusalCode: code } = state;
    const { method = "" } = request;
    observer?.ended({ method, route, registers, status, code, ms });
    trace?.end({ route, status, code });
    if (logger === undefined) return;
    const { requestId, address } = state.origin;
    const fields = { method, path: pathOf(request), status, ms: Math.round(ms), code };
    logger.info({ ...fields, request_id: requestId, address }, "request");
  });
  if (trace === undefined) run();
  else trace.run(run);
}
