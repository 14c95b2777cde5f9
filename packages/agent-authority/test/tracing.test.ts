// Spans, with a real SDK. It is global to its process: this file takes it away again.

import { AgentKey } from "@countersign/agent-key";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { agentBody, TestedAuthority, taskBody, taskPath } from "./start-authority.js";
import { databaseKind } from "./test-database.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

function spans(): { server: ReadableSpan[]; transactions: ReadableSpan[] } {
  const all = exporter.getFinishedSpans();
  return {
    server: all.filter(({ kind }) => kind === SpanKind.SERVER),
    // Those of requests: what is written after an answer is in a trace of its own, and may come before the test's end or not.
    transactions: all.filter(
      ({ name, parentSpanContext }) => name === "transaction" && parentSpanContext !== undefined,
    ),
  };
}

beforeEach(() => exporter.reset());
afterAll(async () => {
  for (const api of [trace, context, propagation]) api.disable();
  await provider.shutdown();
});

describe("without an SDK", () => {
  it("no span is made, and requests are answered as ever", async () => {
    await using tested = await TestedAuthority.start();
    expect((await tested.registerAgent(await tested.token(), AgentKey.generate())).status).toBe(
      200,
    );
    expect(trace.getTracer("x").startSpan("x").isRecording()).toBe(false);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});

describe("with an SDK", () => {
  it("a request is a span below its caller's, and its transaction one below that", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const { id, key } = await tested.agent();
    provider.register();
    for (const call of [
      () =>
        tested.call("POST", "/v1/agent/register?secret=1", {
          headers: { authorization: `Bearer ${token}`, traceparent: `00-${TRACE}-${PARENT}-01` },
          body: agentBody(AgentKey.generate()),
        }),
      () => tested.call("POST", taskPath(id), { body: taskBody(id, key, tested.clock.nowMs) }),
    ]) {
      expect((await call()).status).toBe(200);
    }
    await tested.authority.close();
    const { server, transactions } = spans();
    expect(server.map(({ name }) => name)).toEqual([
      "POST /v1/agent/register",
      "POST /v1/agent/:agentRuntimeId/task/register",
    ]);
    expect(server[0]?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: PARENT });
    expect(server[0]?.attributes).toEqual({
      "http.request.method": "POST",
      "url.path": "/v1/agent/register",
      "http.route": "/v1/agent/register",
      "http.response.status_code": 200,
    });
    expect(server[1]?.parentSpanContext).toBeUndefined();
    expect(server[1]?.attributes["countersign.agent_runtime_id"]).toBe(id);
    expect(transactions.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
      server.map((span) => span.spanContext().spanId),
    );
    expect(transactions[0]?.attributes).toEqual({
      "db.system.name": databaseKind === "sqlite" ? "sqlite" : "postgresql",
    });
  });

  it("hide a credential in a path or an id (G-A41)", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    await tested.call("GET", `/v1/agent/${token}`);
    await tested.call("GET", `/${token.replace("_", "%5F")}/x`);
    await tested.authority.close();
    const attributes = spans().server.map((span) => span.attributes);
    expect(attributes).toMatchObject([
      { "url.path": "/v1/agent/[hidden]", "countersign.agent_runtime_id": "[hidden]" },
      { "url.path": "/[hidden]/x" },
    ]);
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ name }) => name))).not.toContain(
      token,
    );
  });

  it("a refusal says its code, and is an error only where it is the authority's", async () => {
    await using tested = await TestedAuthority.start();
    await tested.call("GET", "/v1/whoami");
    await tested.store.close();
    await tested.call("GET", "/readyz");
    await tested.authority.close();
    const [refused, failed] = spans().server;
    expect(refused?.attributes).toMatchObject({
      "http.response.status_code": 401,
      "countersign.code": "unauthenticated",
    });
    expect(refused?.status.code).toBe(SpanStatusCode.UNSET);
    expect(failed?.attributes).toMatchObject({
      "http.response.status_code": 503,
      "countersign.code": "server_error",
    });
    expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it("what is not sampled makes no spans, not below either", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    exporter.reset();
    const answer = await tested.call("POST", "/v1/agent/register", {
      headers: { authorization: `Bearer ${token}`, traceparent: `00-${TRACE}-${PARENT}-00` },
      body: agentBody(AgentKey.generate()),
    });
    expect(answer.status).toBe(200);
    await tested.authority.close();
    expect(spans()).toEqual({ server: [], transactions: [] });
  });
});
