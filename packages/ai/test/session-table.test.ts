import { expect, test } from "vitest";
import type { McpTransport } from "../src/mcp-server/connection.js";
import { SessionTable } from "../src/mcp-server/session-table.js";

const owner = { authority: "https://authority.example", agentRuntimeId: "agent-1", accountId: "a" };

function open(table: SessionTable, id: string): void {
  const transport: McpTransport = { handleRequest: async () => {}, close: async () => {} };
  table.add(id, transport, owner);
}

function openIds(table: SessionTable, ids: readonly string[]): readonly string[] {
  return ids.filter((id) => table.find(id, owner) !== undefined);
}

test("a session with an open request outlives those without, and is lost only if all have one", () => {
  const table = new SessionTable({ maxSessions: 2, idleMs: 60_000, now: Date.now });
  const use = (id: string) => {
    const session = table.find(id, owner);
    if (session !== undefined) table.use(session);
  };
  open(table, "long-call");
  use("long-call");
  open(table, "idle");
  open(table, "new");
  expect(openIds(table, ["long-call", "idle", "new"])).toEqual(["long-call", "new"]);
  use("new");
  open(table, "newest");
  expect(openIds(table, ["long-call", "new", "newest"])).toEqual(["new", "newest"]);
  table.endAll();
});
