// One trace through the agent, the signing proxy, the gateway, the authority and the upstream: real sockets, and a process with an SDK of its own
// for each of the servers.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { connectAgent } from "@countersign/agent";
import { context, propagation, SpanKind, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

const REGISTER = pathToFileURL(join(import.meta.dirname, "processes/spans-to-file.mjs")).href;
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();

interface SeenSpan {
  readonly of: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string | undefined;
}

beforeEach(() => exporter.reset());
afterAll(async () => {
  for (const api of [trace, context, propagation]) api.disable();
  await provider.shutdown();
});

class TracedWorld {
  readonly world: ServerWorld;
  readonly #servers = new Map<string, StartedServer>();

  constructor(world: ServerWorld) {
    this.world = world;
  }

  async start(name: string, args: readonly string[]): Promise<string> {
    const env = {
      ...FEATURE_ON,
      NODE_OPTIONS: `--import=${REGISTER}`,
      SPANS_FILE: this.#fileOf(name),
    };
    const server = await this.world.start([...args, "--listen", "127.0.0.1:0"], env);
    this.#servers.set(name, server);
    return server.url;
  }

  /** Ends all servers, so that every span has ended, and gives the spans of all processes. */
  async spans(): Promise<SeenSpan[]> {
    for (const { process } of this.#servers.values()) {
      process.kill("SIGTERM");
      await process.exited;
    }
    const files = await Promise.all(
      [...this.#servers.keys()].map(async (of) => {
        const lines = (await readFile(this.#fileOf(of), "utf8")).trimEnd().split("\n");
        return lines.map((line): SeenSpan => ({ of, ...JSON.parse(line) }));
      }),
    );
    const own = exporter.getFinishedSpans().map((span): SeenSpan => {
      const { name, kind, attributes, parentSpanContext } = span;
      const of = kind === SpanKind.SERVER ? "upstream" : "agent";
      const parentId = parentSpanContext?.spanId;
      return { of, name, kind, attributes, ...span.spanContext(), parentId };
    });
    return [...own, ...files.flat()];
  }

  #fileOf(name: string): string {
    return join(this.world.folder.path, `${name}.spans`);
  }
}

/** An upstream whose span is below the one that `traceparent` names. */
async function startTracedUpstream(): Promise<string> {
  const server = createServer((request, response) => {
    const from = propagation.extract(context.active(), request.headers);
    trace.getTracer("upstream").startSpan("upstream", { kind: SpanKind.SERVER }, from).end();
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startServers() {
  const world = await serverWorld();
  const traced = new TracedWorld(world);
  const authority = await traced.start("authority", [
    ...["authority", "serve"],
    ...world.onDatabase,
  ]);
  const upstream = await startTracedUpstream();
  const gateway = await traced.start("gateway", [
    ...["gateway", "--upstream", upstream, ...world.onDatabase],
  ]);
  return { traced, world, authority, gateway };
}

/** Does work in the span `turn`, and returns its trace. */
async function inTurn(work: () => Promise<void>): Promise<string> {
  return await trace.getTracer("agent").startActiveSpan("turn", async (span) => {
    await work();
    span.end();
    return span.spanContext().traceId;
  });
}

function described(spans: readonly SeenSpan[]): string[] {
  const nameOf = ({ of, name }: SeenSpan) => `${of}: ${name}`;
  const above = (span: SeenSpan) => spans.find(({ spanId }) => spanId === span.parentId);
  return spans
    .map((span) => {
      const parent = above(span);
      return `${nameOf(span)} < ${parent === undefined ? span.parentId : nameOf(parent)}`;
    })
    .sort();
}

const CALLER = ["gen_ai.agent.id", "gen_ai.agent.identity.id", "countersign.task_id"];

/** Every span of an agent's request knows the same agent, and none a credential. */
function expectSameAgent(spans: readonly SeenSpan[], names: readonly string[]): void {
  const named = spans.filter(({ of, name }) => names.includes(`${of}: ${name}`));
  expect(named.length).toBeGreaterThan(1);
  const [first] = named;
  for (const { attributes } of named) {
    for (const name of CALLER) {
      expect(attributes[name]).toBeTypeOf("string");
      expect(attributes[name]).toBe(first?.attributes[name]);
    }
  }
}

function expectNoSecret(spans: readonly SeenSpan[], accessToken: string): void {
  const text = JSON.stringify(spans);
  expect(text).not.toContain(accessToken);
  expect(text).not.toMatch(/AgentAssertion eyJ|secret=1|PRIVATE KEY/);
}

test("an agent's request is one trace, with its registrations, through the gateway to the upstream (G-H13)", async () => {
  const { traced, world, authority, gateway } = await startServers();
  const accessToken = await world.createToken();
  const agent = await connectAgent({
    ...{ authority, accessToken, home: join(world.folder.path, "agent") },
    origins: [gateway],
  });
  const traceId = await inTurn(async () => {
    const response = await agent.thread("thread-1").fetch(`${gateway}/v1/x?secret=1`);
    expect(response.status).toBe(200);
  });
  await agent.close();
  const spans = (await traced.spans()).filter((span) => span.traceId === traceId);
  expect(described(spans)).toEqual([
    "agent: GET < agent: GET",
    "agent: GET < agent: turn",
    "agent: POST < agent: register agent",
    "agent: POST < agent: register task",
    "agent: register agent < agent: GET",
    "agent: register task < agent: GET",
    "agent: turn < undefined",
    "authority: GET /v1/whoami < agent: GET",
    "authority: POST /v1/agent/:agentRuntimeId/task/register < agent: POST",
    "authority: POST /v1/agent/register < agent: POST",
    "authority: transaction < authority: POST /v1/agent/:agentRuntimeId/task/register",
    "authority: transaction < authority: POST /v1/agent/register",
    "gateway: GET < agent: GET",
    "gateway: verify AgentAssertion < gateway: GET",
    "upstream: upstream < gateway: GET",
  ]);
  const sent = spans.find(({ attributes }) => attributes["countersign.credential"] === "agent");
  expect(sent).toMatchObject({
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.conversation.id": "thread-1",
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "server.address": "127.0.0.1",
      "server.port": Number(new URL(gateway).port),
    },
  });
  const verified = spans.find(({ name }) => name === "verify AgentAssertion");
  expect(verified?.attributes).toMatchObject({
    "user.id": "user-1",
    "countersign.account_id": "acct-1",
  });
  expectSameAgent(
    spans.filter((span) => span === sent || span.of === "gateway"),
    ["agent: GET", "gateway: GET", "gateway: verify AgentAssertion"],
  );
  expectNoSecret(spans, accessToken);
});

test("a gateway's questions to the authority are in the trace of the request that needs them (G-H13)", async () => {
  const world = await serverWorld();
  const traced = new TracedWorld(world);
  const authority = await traced.start("authority", [
    ...["authority", "serve"],
    ...world.onDatabase,
  ]);
  const gateway = await traced.start("gateway", [
    ...["gateway", "--upstream", await startTracedUpstream(), "--authority", authority],
  ]);
  const accessToken = await world.createToken();
  const home = join(world.folder.path, "agent");
  const agent = connectAgent({ authority, accessToken, home, origins: [gateway] });
  const traceId = await inTurn(async () => {
    const response = await agent.thread("thread-1").fetch(`${gateway}/v1/x`);
    expect(response.status).toBe(200);
  });
  await agent.close();
  const spans = (await traced.spans()).filter((span) => span.traceId === traceId);
  expect(described(spans)).toEqual(
    expect.arrayContaining([
      "authority: GET /v1/agent/:agentRuntimeId < gateway: GET",
      "authority: GET /v1/agent/:agentRuntimeId/task/:taskId < gateway: GET",
      "gateway: GET < gateway: verify AgentAssertion",
    ]),
  );
  const forwarded = spans.find(({ of, kind }) => of === "gateway" && kind === SpanKind.SERVER);
  expect(forwarded?.attributes).toMatchObject({
    "user.id": "user-1",
    "countersign.account_id": "acct-1",
  });
});

test("a request by the signing proxy is one trace, with the registrations that it causes (G-H13)", async () => {
  const { traced, world, authority, gateway } = await startServers();
  await world.logIn(authority);
  const proxy = await traced.start("proxy", ["proxy", "--upstream", gateway, "--open"]);
  const traceId = await inTurn(async () => {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    const response = await fetch(`${proxy}/v1/x`, { headers });
    expect(response.status).toBe(200);
  });
  const spans = (await traced.spans()).filter((span) => span.traceId === traceId);
  expect(described(spans)).toEqual([
    "agent: turn < undefined",
    "authority: POST /v1/agent/:agentRuntimeId/task/register < proxy: POST",
    "authority: POST /v1/agent/register < proxy: POST",
    "authority: transaction < authority: POST /v1/agent/:agentRuntimeId/task/register",
    "authority: transaction < authority: POST /v1/agent/register",
    "gateway: GET < proxy: GET",
    "gateway: verify AgentAssertion < gateway: GET",
    "proxy: GET < agent: turn",
    "proxy: POST < proxy: register agent",
    "proxy: POST < proxy: register task",
    "proxy: register agent < proxy: GET",
    "proxy: register task < proxy: GET",
    "upstream: upstream < gateway: GET",
  ]);
  expectSameAgent(spans, ["proxy: GET", "gateway: GET", "gateway: verify AgentAssertion"]);
});
