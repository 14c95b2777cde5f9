// With the SDK of OpenTelemetry, which finds the transports by what it registers in the process.

import { headerOf, type UpstreamHandler } from "@countersign/testing";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT_ID, TASK_ID } from "./fixtures.js";
import { ScriptedSource, start, stopServers } from "./signed-fetch.js";
import { type Transport, transports } from "./transports.js";

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();

beforeEach(() => exporter.reset());
afterEach(stopServers);
afterAll(async () => {
  for (const api of [trace, context, propagation]) api.disable();
  await provider.shutdown();
});

/** Sends one request in the span `turn`, and gives its span and what the server got. */
async function sendTraced(transport: Transport, handler?: UpstreamHandler) {
  const server = await start(handler);
  const send = transport.make(new ScriptedSource(), { origins: [server.url] });
  await trace.getTracer("caller").startActiveSpan("turn", async (turn) => {
    await send(`${server.url}/v1/x?secret=1`).catch(() => {});
    turn.end();
  });
  const spans = exporter.getFinishedSpans();
  const turn = spans.find(({ name }) => name === "turn") ?? expect.fail();
  const [span = expect.fail(), ...others] = spans.filter((it) => it !== turn);
  expect(others).toEqual([]);
  expect(span.parentSpanContext?.spanId).toBe(turn.spanContext().spanId);
  const [request = expect.fail()] = server.requests;
  return { server, span, request };
}

describe.each(transports)("a request of $name", (transport) => {
  test("has one span, which the server's spans can join, and which names the agent and no secret (G-H13)", async () => {
    const { server, span, request } = await sendTraced(transport);
    const { traceId, spanId } = span.spanContext();
    expect(headerOf(request, "traceparent")).toBe(`00-${traceId}-${spanId}-01`);
    expect(span).toMatchObject({
      name: "GET",
      kind: SpanKind.CLIENT,
      attributes: {
        "gen_ai.agent.id": AGENT_ID,
        "countersign.task_id": TASK_ID,
        "countersign.credential": "agent",
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": Number(new URL(server.url).port),
      },
    });
    const text = JSON.stringify([span.name, span.attributes]);
    expect(text).not.toMatch(/secret|AgentAssertion|eyJ/);
  });
});

// Who asks for headers alone sends the request: what becomes of it is not seen.
const ANSWERED = transports.filter(({ name }) => name !== "the headers of a dial");

test.each(ANSWERED)(
  "a failed request of $name ends its span as an error, with the status",
  async (transport) => {
    const { span } = await sendTraced(transport, () => ({ status: 503, headers: {}, body: "" }));
    expect(span.attributes["http.response.status_code"]).toBe(503);
    expect(span.status.code).toBe(SpanStatusCode.ERROR);
  },
);
