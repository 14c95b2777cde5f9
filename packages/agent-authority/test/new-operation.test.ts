import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { checkAuthorityOptions } from "../src/authority-options.js";
import { adminListener } from "../src/http/admin/admin-listener.js";
import {
  type CreateFunctions,
  serveAdminOperations,
} from "../src/http/admin/serve-admin-operations.js";
import { createRouter } from "../src/http/create-router.js";
import type { ServedOperation } from "../src/http/served-operation.js";
import { type AgentInfo, createAuthorityMetrics, type Registry } from "../src/index.js";
import { type AdminOperation, change } from "../src/operations/admin-operation.js";
import { ADMIN_OPERATIONS } from "../src/operations/admin-operations.js";
import { createAdminFunctions } from "../src/registry/admin-functions.js";
import { createRemoteFunctions } from "../src/remote-registry/remote-functions.js";
import { agentEntrySchema } from "../src/schema/registry-entries.js";
import { expectRefusal } from "./expect-refusal.js";
import { openScratchStore, TestedAuthority } from "./start-authority.js";

// A row as a later version has it. Nothing else in this package is told of it but what it does.
const PAUSE = "/v1/admin/agents/{id}/pause";
const pauseAgent = change(PAUSE, "Pauses it.", "It can go on later.", agentEntrySchema, {
  absent: "unknown_agent",
});
const operations = Object.assign(ADMIN_OPERATIONS, { pauseAgent });

vi.mock(import("../src/registry/admin-functions.js"), async (original) => {
  const { createAdminFunctions: create } = await original();
  return {
    createAdminFunctions(store, options) {
      const functions = create(store, options);
      return { ...functions, pauseAgent: functions.getAgent };
    },
  };
});

describe("an operation that only a row makes known", () => {
  const metrics = createAuthorityMetrics();
  let tested: TestedAuthority;
  let operate: string;
  let read: string;

  beforeAll(async () => {
    tested = await TestedAuthority.start({ metrics });
    operate = await tested.token("operate", "operator", "ops");
    read = await tested.token("read", "reader", "ops");
  });

  afterAll(() => tested[Symbol.asyncDispose]());

  function pause(id: string, token?: string) {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return tested.callAdmin("POST", `/v1/admin/agents/${id}/pause`, { headers });
  }

  it("is in the document, served as it says there, and sent by the client", async () => {
    const { id } = await tested.agent();
    const answer = await pause(id, operate);
    expect(answer).toMatchObject({ status: 200, body: { agent_runtime_id: id } });
    const { body: document } = await tested.callAdmin("GET", "/openapi.json");
    expect(document.paths[PAUSE].post).toMatchObject({
      operationId: "pauseAgent",
      summary: "Pauses it.",
      description: "It can go on later.",
      security: [{ operate: [] }],
    });
    expect(document.paths[PAUSE].post.responses["404"].description).toContain("unknown_agent");
    const client = new AuthorityClient({ authority: await tested.adminUrl() });
    const remote = createRemoteFunctions({ client, token: operate }, operations);
    expect(await remote.pauseAgent({ id })).toEqual(answer.body);
    expect(await remote.pauseAgent({ id: "agent_unknown" })).toBeUndefined();
  });

  it("is refused, audited, counted and named as its row says", async () => {
    expectRefusal(await pause("agent_unknown", operate), 404, "unknown_agent");
    expectRefusal(await pause("agent_unknown", read), 403, "forbidden");
    expectRefusal(await pause("agent_unknown"), 401, "unauthenticated");
    expectRefusal(
      await tested.callAdmin("GET", "/v1/admin/agents/agent_unknown/pause"),
      405,
      "invalid_request",
    );
    const events = await tested.authority.registry.listAuditEvents({ action: "admin", last: 2 });
    expect(events).toMatchObject([{ code: "forbidden" }, { code: "unauthenticated" }]);
    expect(await metrics.render()).toContain(
      'requests_total{method="POST",route="/v1/admin/agents/:id/pause",status="403",code="forbidden"} 1',
    );
  });
});

describe("a row that is not whole", () => {
  const whole = serveAdminOperations(operations, createAdminFunctions as never);

  async function startWith(row: Partial<ServedOperation>): Promise<void> {
    await using store = await openScratchStore();
    const listener = adminListener({}, { pauseAgent: row as ServedOperation });
    const router = await createRouter(checkAuthorityOptions({ store }), listener);
    await router.close();
  }

  it.each([
    "method",
    "path",
    "summary",
    "description",
    "answer",
    "audited",
    "addressLimit",
    "serve",
  ] as const)("keeps the listener from starting without %s (G-A9)", async (member) => {
    const { [member]: _, ...half } = whole.pauseAgent as ServedOperation;
    const starting = startWith(half);
    await expect(starting).rejects.toThrow(TypeError);
    await expect(starting).rejects.toThrow(`the operation pauseAgent must state its ${member}`);
  });

  it("keeps the listener from starting with a schema that its document has no name for", async () => {
    const row = whole.pauseAgent as ServedOperation;
    const schema = z.object({ paused: z.boolean() });
    const described = { ...row, answer: { ...row.answer, schema } };
    await expect(startWith(described)).rejects.toThrow(/the answer of the operation pauseAgent/);
    await expect(startWith({ ...row, body: schema })).rejects.toThrow(
      /the body of the operation pauseAgent/,
    );
    await expect(startWith(row)).resolves.toBeUndefined();
  });

  it("does not compile", () => {
    // @ts-expect-error The row has nothing that does it.
    const undone: CreateFunctions<typeof operations> = createAdminFunctions;
    expect(undone).toBeTypeOf("function");

    type LaterRegistry = Registry & { resumeAgent(id: string): Promise<AgentInfo | undefined> };
    // @ts-expect-error The registry's method has no row.
    const unlisted: Readonly<Record<keyof LaterRegistry, AdminOperation>> = operations;
    expect(unlisted).not.toHaveProperty("resumeAgent");

    const { audited, ...unstated } = pauseAgent;
    // @ts-expect-error The row does not state what the audit log calls a refused request.
    const unaudited: AdminOperation = unstated;
    expect(unaudited).not.toHaveProperty("audited", audited);
  });
});
