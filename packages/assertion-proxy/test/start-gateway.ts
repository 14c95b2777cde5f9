import type { BindingOptions } from "@countersign/agent-assertion";
import { onTestFinished } from "vitest";
import {
  createVerifyingGateway,
  type VerifyingGateway,
  type VerifyingGatewayOptions,
} from "../src/gateway/verifying-gateway.js";
import type { AuditEntry } from "../src/refusal/audit-entry.js";
import { createAuditLog, createTestAgent, NOW, type TestAgent } from "./test-agent.js";

export { NOW, PUBLIC_URL } from "./test-agent.js";

/** A gateway under test, and the agent that passes it. */
export interface TestGateway extends Omit<TestAgent, "verifier"> {
  readonly gateway: VerifyingGateway;
  readonly url: string;
  readonly audit: readonly AuditEntry[];
  /** Waits for the entry of that number, from 0. */
  entry(index: number): Promise<AuditEntry>;
}

export type TestGatewayOptions = Partial<VerifyingGatewayOptions> & {
  readonly upstream: string;
  /** How the verifier treats bound requests. */
  readonly binding?: BindingOptions;
};

export async function startGateway({
  binding,
  ...options
}: TestGatewayOptions): Promise<TestGateway> {
  const { verifier, ...agent } = createTestAgent(binding);
  const log = createAuditLog();
  const gateway = createVerifyingGateway({
    verifier,
    accounts: ["acct-1"],
    now: () => NOW,
    audit: log.take,
    ...options,
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => gateway.close({ drainMs: 1 }));
  return { ...agent, gateway, url, audit: log.entries, entry: log.entry };
}
