import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  AgentAuthorityError,
  createAuthorityMetrics,
  createOperationsListener,
} from "../src/index.js";
import { TestedAuthority } from "./start-authority.js";
import { databaseKind } from "./test-database.js";

type Options = Parameters<typeof TestedAuthority.start>[0];

async function startCounted(options: Options = {}) {
  const metrics = createAuthorityMetrics({ version: "1.2.3" });
  const tested = await TestedAuthority.start({ ...options, metrics });
  return { tested, metrics };
}

/** The lines of one figure, without its prefix. */
async function figures(
  metrics: ReturnType<typeof createAuthorityMetrics>,
  name: string,
): Promise<string[]> {
  const lines = (await metrics.render()).split("\n");
  return lines
    .filter((line) => line.startsWith(`countersign_authority_${name}`))
    .map((line) => line.slice("countersign_authority_".length));
}

describe("figures", () => {
  it("count requests by method, route, status and code, never by what was sent (G-A11)", async () => {
    const { tested, metrics } = await startCounted();
    await using _ = tested;
    const { id, key } = await tested.agent();
    await tested.registerTask(id, key);
    await tested.registerTask(id, AgentKey.generate());
    await tested.call("GET", `/v1/agent/${id}`);
    await tested.call("GET", "/secret-path");
    await tested.call("DELETE", "/v1/whoami");
    await tested.authority.close();
    const task = "/v1/agent/:agentRuntimeId/task/register";
    expect(await figures(metrics, "requests_total")).toEqual([
      'requests_total{method="POST",route="/v1/agent/register",status="200",code="none"} 1',
      `requests_total{method="POST",route="${task}",status="200",code="none"} 1`,
      `requests_total{method="POST",route="${task}",status="401",code="bad_signature"} 1`,
      'requests_total{method="GET",route="/v1/agent/:agentRuntimeId",status="200",code="none"} 1',
      'requests_total{method="GET",route="none",status="404",code="invalid_request"} 1',
      'requests_total{method="DELETE",route="/v1/whoami",status="405",code="invalid_request"} 1',
    ]);
    expect(await figures(metrics, "refusals_total")).toEqual([
      'refusals_total{code="bad_signature"} 1',
      'refusals_total{code="invalid_request"} 2',
    ]);
    expect(await figures(metrics, "registrations_total")).toEqual([
      'registrations_total{kind="task"} 1',
      'registrations_total{kind="agent"} 1',
    ]);
    expect(await figures(metrics, "request_duration_seconds_count")).toContain(
      `request_duration_seconds_count{method="POST",route="${task}"} 2`,
    );
    expect(await figures(metrics, "requests_in_flight")).toEqual(["requests_in_flight 0"]);
    expect(await figures(metrics, "build_info")).toEqual([
      `build_info{version="1.2.3",node="${process.version}"} 1`,
    ]);
    const all = await metrics.render();
    for (const sent of [id, "secret-path", "acct-1", "user-1", "127.0.0.1"])
      expect(all).not.toContain(sent);
  });

  it("count what is no request, what was turned away, and what limits refused", async () => {
    const { tested, metrics } = await startCounted({
      rateLimits: { userPerMinute: 1 },
      limits: { maxRequests: 1 },
    });
    await using _ = tested;
    const { token } = await tested.agent();
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(429);
    const { hostname, port } = new URL(tested.url);
    const bad = connect({ host: hostname, port: Number(port) });
    bad.end("no http\r\n\r\n");
    await text(bad);
    const slow = connect({ host: hostname, port: Number(port) });
    onTestFinished(() => void slow.destroy());
    slow.write(
      "POST /v1/agent/register HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n",
    );
    // The server says so when it has taken the request up.
    expect(String((await once(slow, "data"))[0])).toMatch(/^HTTP\/1\.1 100 /);
    expect((await tested.call("GET", "/v1/whoami")).status).toBe(503);
    expect(await figures(metrics, "requests_in_flight")).toEqual(["requests_in_flight 1"]);
    slow.destroy();
    await tested.authority.close();
    expect(await figures(metrics, "requests_total")).toEqual(
      expect.arrayContaining([
        'requests_total{method="other",route="none",status="400",code="invalid_request"} 1',
        'requests_total{method="GET",route="none",status="503",code="server_error"} 1',
      ]),
    );
    expect(await figures(metrics, "rate_limited_total")).toEqual([
      'rate_limited_total{by="refusals"} 0',
      'rate_limited_total{by="address"} 0',
      'rate_limited_total{by="user"} 1',
      'rate_limited_total{by="agent"} 0',
    ]);
    expect(await figures(metrics, "shed_total")).toEqual([
      'shed_total{reason="requests"} 1',
      'shed_total{reason="event_loop"} 0',
    ]);
  });

  it("show what the database does", async () => {
    const { tested, metrics } = await startCounted();
    await using _ = tested;
    const token = await tested.token();
    await Promise.all(
      Array.from({ length: 8 }, () => tested.registerAgent(token, AgentKey.generate())),
    );
    await tested.store.transaction(() => Promise.reject(new Error("mine"))).catch(() => {});
    // One transaction of its own, after the answers.
    await tested.useNoted("user-1");
    await expect
      .poll(() => figures(metrics, "transaction_duration_seconds_count"))
      .toEqual([
        'transaction_duration_seconds_count{outcome="committed"} 10',
        'transaction_duration_seconds_count{outcome="failed"} 1',
      ]);
    const [groups] = await figures(metrics, "commit_group_size_sum");
    if (databaseKind === "sqlite") {
      expect(groups).toBe("commit_group_size_sum 11");
      expect(await figures(metrics, "database_connections")).toEqual([]);
    } else {
      expect(groups).toBe("commit_group_size_sum 0");
      // Being asked for figures lets the authority read others from the database, for a moment.
      await expect
        .poll(() => figures(metrics, "database_connections"))
        .toEqual([
          expect.stringMatching(/^database_connections\{state="idle"\} [1-9]\d*$/),
          'database_connections{state="used"} 0',
          'database_connections{state="waited_for"} 0',
        ]);
    }
  });
});

describe("the operations listener", () => {
  it("answers probes and figures, and nothing else (G-A11)", async () => {
    const { tested, metrics } = await startCounted();
    await using _ = tested;
    const { authority, store } = tested;
    const operations = createOperationsListener({ metrics, isReady: () => authority.isReady() });
    const { url } = await operations.listen({ port: 0 });
    onTestFinished(() => operations.close());
    const ask = async (path: string, method = "GET") => {
      const answer = await fetch(url + path, { method });
      return [answer.status, await answer.text()];
    };
    expect(new URL(url).hostname).toBe("127.0.0.1");
    expect(await ask("/v1/whoami")).toEqual([404, "not here\n"]);
    expect(await ask("/metrics", "POST")).toEqual([405, "use GET\n"]);
    expect(await ask("/healthz")).toEqual([200, "ok\n"]);
    expect(await ask("/readyz")).toEqual([200, "ready\n"]);
    const figuresAnswer = await fetch(`${url}/metrics?x`);
    expect(figuresAnswer.headers.get("content-type")).toBe(metrics.contentType);
    expect(await figuresAnswer.text()).toContain("countersign_authority_build_info");
    expect((await tested.call("GET", "/metrics")).status).toBe(404);
    const taken = createOperationsListener({ metrics, isReady: async () => true }).listen({
      port: Number(new URL(url).port),
    });
    await expectRejection(taken, AgentAuthorityError, "address_in_use");
    await authority.close();
    expect(await ask("/readyz")).toEqual([503, "not ready\n"]);
    expect(await ask("/healthz")).toEqual([200, "ok\n"]);
    await store.close();
  });

  it("is not ready without its database", async () => {
    await using tested = await TestedAuthority.start();
    expect(await tested.authority.isReady()).toBe(true);
    await tested.store.close();
    expect(await tested.authority.isReady()).toBe(false);
  });
});
