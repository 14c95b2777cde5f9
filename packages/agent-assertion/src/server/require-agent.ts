import type { IncomingMessage, ServerResponse } from "node:http";
import type { OptionShape } from "@countersign/agent-key";
import { checkMiddlewareOptions, checkOption } from "../internal/options.js";
import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { type AdmitOptions, admitRequest } from "./admit-request.js";

const HANDLER: OptionShape = {
  type: "function",
  expected: "a function that takes request, response and agent",
};

/** Handles a request whose agent is known. */
export type AgentRequestListener = (
  request: IncomingMessage,
  response: ServerResponse,
  agent: VerifiedAssertion,
) => unknown;

/** Options of {@link requireAgent}. */
export type RequireAgentOptions = Omit<AdmitOptions<IncomingMessage>, "verifier">;

/**
 * Makes a request listener for `createServer`. It calls the handler with the agent that sent the request, and answers every other request
 * itself (`answerRefusal`). The handler can read the whole body, even if the check has read it.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 */
export function requireAgent(
  verifier: AssertionVerifier,
  handler: AgentRequestListener,
  options: RequireAgentOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  checkMiddlewareOptions({ ...options, verifier });
  checkOption("handler", handler, HANDLER);
  const listen = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const agent = await admitRequest(request, response, { ...options, verifier });
    if (agent !== undefined) await handler(request, response, agent);
  };
  return (request, response) => void listen(request, response);
}
