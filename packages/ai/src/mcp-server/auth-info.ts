import { AgentAssertionError, type VerifiedAssertion } from "@countersign/agent-assertion";

/** Who sent a request, in the form of the `AuthInfo` of MCP's SDK. */
export interface McpAuthInfo {
  /** `AGENT/TASK`: names both, and is no credential. The SDK wants a text here, and the assertion itself must reach no tool. */
  token: string;
  /** The agent's id. */
  clientId: string;
  /** The capabilities that the authority granted. */
  scopes: string[];
  /** All that was verified: `authority`, `agentRuntimeId`, `taskId`, `accountId`, `userId` and the rest of a `VerifiedAssertion`. */
  extra: { [Name in keyof VerifiedAssertion]: VerifiedAssertion[Name] };
}

const verified = new WeakMap<object, VerifiedAssertion>();

/**
 * Makes the `AuthInfo` of a request. It has no `expiresAt`: the next request has an assertion of its own, and the agent or task may end at any
 * time before.
 */
export function authInfoOf(agent: VerifiedAssertion): McpAuthInfo {
  const authInfo: McpAuthInfo = {
    // No id holds a slash (protocol.md §3).
    token: `${agent.agentRuntimeId}/${agent.taskId}`,
    clientId: agent.agentRuntimeId,
    scopes: [...agent.capabilities],
    extra: { ...agent },
  };
  verified.set(authInfo, agent);
  return authInfo;
}

/**
 * Who calls a tool: takes the `authInfo` that the SDK gives to the tool's handler, `extra.authInfo` in version 1 and `context.http?.authInfo` in version 2.
 *
 * @throws {AgentAssertionError} `config_invalid` if it was not made by `mcpServer`
 */
export function agentOf(authInfo: object | undefined): VerifiedAssertion {
  const agent = authInfo === undefined ? undefined : verified.get(authInfo);
  if (agent !== undefined) return agent;
  throw new AgentAssertionError("config_invalid", "this authInfo is not of a verified request", {
    hint: "serve MCP through mcpServer, and give agentOf the authInfo of the tool's call",
  });
}
