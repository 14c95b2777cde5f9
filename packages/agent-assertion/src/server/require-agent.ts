import type { IncomingMessage, ServerResponse } from "node:http";
import type { OptionShape } from "@countersign/agent-key";
import { checkMiddlewareOptions, checkOption } from "../internal/options.js";
import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { type AdmitOptions, admitRequest } from "./admit-request.js";
import { isNodeExchange } from "./node-request.js";
import { requireCall } from "./require-call.js";

const HANDLER: OptionShape = {
  type: "function",
  expected: "a function that takes request, response and agent",
};

/** Handles a request whose agent is known. */
export type AgentRequestListener<Agent = VerifiedAssertion> = (
  request: IncomingMessage,
  response: ServerResponse,
  agent: Agent,
) => unknown;

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Options of {@link requireAgent}. */
export type RequireAgentOptions = Omit<AdmitOptions<IncomingMessage>, "verifier">;

/**
 * Makes a request listener for `createServer`. It calls the handler with the agent that sent the request, and answers every other request
 * itself (`answerRefusal`). The handler can read the whole body, even if the check has read it. The listener throws `config_invalid` if it is not called
 * as Node's servers do.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 */
export function requireAgent(
  verifier: AssertionVerifier,
  handler: AgentRequestListener,
  options?: RequireAgentOptions & { readonly onMissing?: "refuse" | undefined },
): RequestHandler;
export function requireAgent(
  verifier: AssertionVerifier,
  handler: AgentRequestListener<VerifiedAssertion | undefined>,
  options: RequireAgentOptions,
): RequestHandler;
export function requireAgent(
  verifier: AssertionVerifier,
  // The first form is called with an agent alone.
  handler: AgentRequestListener<never>,
  options: RequireAgentOptions = {},
): RequestHandler {
  checkMiddlewareOptions({ ...options, verifier });
  checkOption("handler", handler, HANDLER);
  const listen = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const agent = await admitRequest(request, response, { ...options, verifier });
    if (agent !== "answered") await handler(request, response, agent as never);
  };
  return (request, response) => {
    requireCall(
      isNodeExchange(request, response),
      "the listener of requireAgent was not called as by Node's http server",
      "give it to createServer of node:http, node:https or node:http2; for servers on Request and Response take withAgent of /handler",
    );
    void listen(request, response);
  };
}
