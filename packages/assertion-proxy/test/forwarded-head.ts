/** What the gateway adds last to the head of a request of the test agent, as {@link comparableHead} shows it. */
export const ADDED =
  "x-agent-runtime-id: agent_1\r\nx-agent-task-id: task_1\r\nx-agent-account-id: acct-1\r\nx-request-id: ID\r\n\r\n";

/** Puts words in place of what of a head differs from request to request. */
export function comparableHead(head: string): string {
  return head
    .replace(/^host: 127\.0\.0\.1:\d+\r$/m, "host: UPSTREAM\r")
    .replace(/^x-request-id: [\da-f-]{36}\r$/m, "x-request-id: ID\r");
}
