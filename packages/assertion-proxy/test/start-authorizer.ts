import type { BindingOptions } from "@countersign/agent-assertion";
import { onTestFinished } from "vitest";
import {
  type Authorizer,
  type AuthorizerOptions,
  createAuthorizer,
} from "../src/authorize/authorizer.js";
import {
  type AuditLog,
  createAuditLog,
  createTestAgent,
  NOW,
  type TestAgent,
} from "./test-agent.js";

/** An authorizer under test, and the agent that passes it. */
export interface TestAuthorizer extends TestAgent {
  readonly authorizer: Authorizer;
  readonly url: string;
  readonly audit: AuditLog;
}

export type TestAuthorizerOptions = Partial<AuthorizerOptions> & {
  /** How the verifier treats bound requests. */
  readonly binding?: BindingOptions;
};

/** Starts an authorizer for nginx, unless another gateway is given. */
export async function startAuthorizer({
  binding,
  ...options
}: TestAuthorizerOptions = {}): Promise<TestAuthorizer> {
  const agent = createTestAgent(binding);
  const audit = createAuditLog();
  const authorizer = createAuthorizer({
    verifier: agent.verifier,
    accounts: ["acct-1"],
    gateway: "nginx",
    now: () => NOW,
    audit: audit.take,
    ...options,
  });
  const { url } = await authorizer.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => authorizer.close({ drainMs: 1 }));
  return { ...agent, authorizer, url, audit };
}
