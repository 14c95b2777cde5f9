import { request as httpRequest } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProxyMetrics, type ProxyMetrics } from "../src/exchange/proxy-metrics.js";
import type { CredentialEnds, DirectoryFigures } from "../src/exchange/watched-figures.js";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { createOperationsListener } from "../src/serve/operations-listener.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway, type TestGatewayOptions } from "./start-gateway.js";
import { HANDSHAKE, SWITCH, textFrame } from "./websocket-bytes.js";

async function get(url: string, path: string, method = "GET") {
  const { status, body, head } = await sendRaw(
    url,
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  return { status, body, head };
}

async function listen(metrics: ProxyMetrics, isReady = () => true) {
  const operations = createOperationsListener({ metrics, isReady });
  onTestFinished(() => operations.close());
  const { url } = await operations.listen({ port: 0 });
  return { operations, url };
}

async function start(options: Partial<TestGatewayOptions> = {}) {
  const metrics = createProxyMetrics();
  const upstream = await startRawUpstream("");
  const gateway = await startGateway({ upstream: upstream.url, metrics, ...options });
  /** The lines of figures that name any of these, without comments. */
  async function figures(...names: string[]): Promise<string[]> {
    const lines = (await metrics.render()).split("\n");
    return lines.filter((line) => names.some((name) => line.startsWith(name)));
  }
  return { metrics, upstream, gateway, figures };
}

describe("figures of what a proxy stands on", () => {
  /** The lines of figures that name any of these. */
  async function lines(metrics: ProxyMetrics, ...names: string[]): Promise<string[]> {
    const all = (await metrics.render()).split("\n");
    return all.filter((line) => names.some((name) => line.startsWith(`countersign_proxy_${name}`)));
  }
  const NAMES = ["directory_", "credential_"];

  test("are not there where nothing gives them", async () => {
    expect(await lines(createProxyMetrics(), ...NAMES)).toEqual([]);
  });

  test("say in which one state the directory is, and how much it keeps", async () => {
    const metrics = createProxyMetrics();
    let figures: DirectoryFigures = { state: "stale" };
    metrics.directory(() => figures);
    const inState = async () =>
      (await lines(metrics, "directory_state")).filter((line) => line.endsWith(" 1"));
    expect(await lines(metrics, "directory_state")).toHaveLength(4);
    expect(await inState()).toEqual(['countersign_proxy_directory_state{state="stale"} 1']);
    expect(await lines(metrics, "directory_records")).toEqual([]);
    figures = { state: "fresh", kept: { agents: 2, tasks: 7 } };
    expect(await inState()).toEqual(['countersign_proxy_directory_state{state="fresh"} 1']);
    expect(await lines(metrics, "directory_records")).toEqual([
      'countersign_proxy_directory_records{about="agent"} 2',
      'countersign_proxy_directory_records{about="task"} 7',
    ]);
  });

  test("count lookups by what came of them", async () => {
    const metrics = createProxyMetrics();
    for (const outcome of ["hit", "hit", "stale"] as const) {
      metrics.directoryLookup({ about: "task", outcome });
    }
    expect(await lines(metrics, "directory_lookups_total")).toEqual([
      'countersign_proxy_directory_lookups_total{about="task",outcome="hit"} 2',
      'countersign_proxy_directory_lookups_total{about="task",outcome="stale"} 1',
    ]);
  });

  test("say how long credentials live, and nothing of one whose end is not known", async () => {
    const metrics = createProxyMetrics();
    let ends: CredentialEnds = { login: undefined, upstream: Date.now() - 60_000 };
    metrics.credentials(async () => ends);
    const [line = "", ...more] = await lines(metrics, "credential_");
    expect(more).toEqual([]);
    expect(line).toMatch(
      /^countersign_proxy_credential_expires_in_seconds\{credential="upstream"\} -6\d/,
    );
    ends = { directory_token: Date.now() + 3_600_000 };
    expect(await lines(metrics, "credential_")).toEqual([
      expect.stringMatching(/\{credential="directory_token"\} 3(600|599\.\d+)$/),
    ]);
  });

  test("show the process", async () => {
    const text = await createProxyMetrics().render();
    for (const name of [
      "process_resident_memory_bytes",
      "process_open_fds",
      "nodejs_eventloop_lag_p99_seconds",
      "nodejs_heap_size_used_bytes",
    ]) {
      expect(text).toMatch(new RegExp(`^${name} `, "m"));
    }
  });
});

describe("the operations listener", () => {
  test("listens on loopback unless told otherwise, and says that an address is taken", async () => {
    const { url } = await listen(createProxyMetrics());
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const second = createOperationsListener({ metrics: createProxyMetrics(), isReady: () => true });
    const taken = second.listen({ port: Number(new URL(url).port) });
    await expect(taken).rejects.toThrow(AssertionProxyError);
    await expect(taken).rejects.toMatchObject({ code: "address_in_use" });
    await second.close();
  });

  test("answers a probe however many connections are held open", async () => {
    const { url } = await listen(createProxyMetrics());
    const held = [];
    for (let count = 0; count < 64; count += 1) held.push(await connectRaw(url));
    expect(await get(url, "/healthz")).toMatchObject({ status: 200 });
    await held[0]?.bytes.closed;
    expect(held.filter(({ socket }) => socket.destroyed)).toHaveLength(1);
  });

  test("reports that the process lives, ready or not", async () => {
    const { url } = await listen(createProxyMetrics(), () => false);
    expect(await get(url, "/healthz")).toMatchObject({ status: 200, body: "ok\n" });
  });

  test("reports that the gateway is ready from when it listens until its close begins", async () => {
    const { metrics, gateway, upstream } = await start();
    const { url } = await listen(metrics, () => gateway.gateway.isReady());
    expect(await get(url, "/readyz")).toMatchObject({ status: 200, body: "ready\n" });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    const { socket } = await upstream.connection(0);
    const closed = gateway.gateway.close({ drainMs: 60_000 });
    expect(await get(url, "/readyz")).toMatchObject({ status: 503, body: "not ready\n" });
    socket.write(OK);
    await closed;
    expect(await get(url, "/readyz")).toMatchObject({ status: 503 });
  });

  test("is not there for anything else", async () => {
    const { url } = await listen(createProxyMetrics());
    expect(await get(url, "/")).toMatchObject({ status: 404 });
    expect(await get(url, "/metrics/x")).toMatchObject({ status: 404 });
    const { status, head } = await get(url, "/metrics", "POST");
    expect(status).toBe(405);
    expect(head).toContain("allow: GET, HEAD\r\n");
  });

  test("answers HEAD with the head alone", async () => {
    const { url } = await listen(createProxyMetrics());
    const bytes = await new Promise<number>((resolve, reject) => {
      httpRequest(`${url}/metrics`, { method: "HEAD" }, async (response) => {
        expect(response.statusCode).toBe(200);
        resolve((await response.toArray()).length);
      })
        .on("error", reject)
        .end();
    });
    expect(bytes).toBe(0);
  });

  test("ends though a client keeps its connection", async () => {
    const { operations, url } = await listen(createProxyMetrics());
    const client = await connectRaw(url);
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await readAnswer(client);
    const slow = await connectRaw(url);
    slow.send("GET /healthz HTTP/1.1\r\nX-Begun: and not ended");
    await get(url, "/healthz");
    await operations.close();
    await client.bytes.closed;
    await slow.bytes.closed;
  });
});

describe("the figures", () => {
  test("are served as text, and every one of them is in docs/gateway.md", async () => {
    const { metrics } = await start();
    const { url } = await listen(metrics);
    const { status, head, body } = await get(url, "/metrics");
    expect(status).toBe(200);
    expect(head).toMatch(/^content-type: text\/plain; version=0\.0\.4/im);
    const names = [...body.matchAll(/^# TYPE (countersign_\S+) /gm)].map(([, name]) => name ?? "");
    expect(names).toHaveLength(11);
    const { readFile } = await import("node:fs/promises");
    const document = await readFile(new URL("../../../docs/gateway.md", import.meta.url), "utf8");
    for (const name of names) expect(document).toContain(`\`${name}\``);
  });

  test("count requests by method, status and code", async () => {
    const { gateway, upstream, figures } = await start();
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("POST", "/v1/secret", "Content-Length: 5\r\n"));
    client.send("hello");
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("hello");
    expect(await figures("countersign_proxy_requests_in_flight")).toEqual([
      "countersign_proxy_requests_in_flight 1",
    ]);
    socket.write(OK);
    await readAnswer(client);
    await sendRaw(gateway.url, "GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
    await sendRaw(gateway.url, "BREW /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
    await sendRaw(gateway.url, "PROPFIND /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
    await gateway.entry(3);
    expect(
      await figures(
        "countersign_proxy_requests",
        "countersign_proxy_bytes",
        "countersign_proxy_request_duration_seconds_count",
      ),
    ).toEqual([
      'countersign_proxy_requests_total{method="POST",status="200",code="none"} 1',
      'countersign_proxy_requests_total{method="GET",status="401",code="missing"} 1',
      'countersign_proxy_requests_total{method="other",status="400",code="invalid_request"} 1',
      'countersign_proxy_requests_total{method="other",status="401",code="missing"} 1',
      "countersign_proxy_requests_in_flight 0",
      'countersign_proxy_request_duration_seconds_count{method="POST"} 1',
      'countersign_proxy_request_duration_seconds_count{method="GET"} 1',
      'countersign_proxy_request_duration_seconds_count{method="other"} 1',
      'countersign_proxy_bytes_total{from="client"} 5',
      'countersign_proxy_bytes_total{from="upstream"} 2',
    ]);
  });

  test("count WebSockets apart, and their bytes", async () => {
    const { gateway, upstream, figures } = await start();
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", HANDSHAKE));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.write(SWITCH + textFrame("hello"), "latin1");
    await client.bytes.until(textFrame("hello"));
    client.send(textFrame("hi", true));
    await bytes.until(textFrame("hi", true));
    expect(
      await figures("countersign_proxy_tunnels_open", "countersign_proxy_requests_in"),
    ).toEqual(["countersign_proxy_requests_in_flight 1", "countersign_proxy_tunnels_open 1"]);
    client.socket.end();
    await bytes.closed;
    await gateway.entry(0);
    expect(
      await figures(
        "countersign_proxy_tunnels_open",
        "countersign_proxy_requests_",
        "countersign_proxy_tunnel_duration_seconds_count",
        "countersign_proxy_bytes",
      ),
    ).toEqual([
      'countersign_proxy_requests_total{method="GET",status="101",code="none"} 1',
      "countersign_proxy_requests_in_flight 0",
      "countersign_proxy_tunnels_open 0",
      "countersign_proxy_tunnel_duration_seconds_count 1",
      'countersign_proxy_bytes_total{from="client"} 8',
      'countersign_proxy_bytes_total{from="upstream"} 7',
    ]);
  });

  test("count what failed because of the upstream, and nothing else there", async () => {
    const { gateway, upstream, figures } = await start({ limits: { responseMs: 30 } });
    await sendRaw(gateway.url, gateway.request("GET", "/timeout"));
    const refusal = sendRaw(gateway.url, gateway.request("GET", "/refused"));
    const { bytes, socket } = await upstream.connection(1);
    await bytes.until("\r\n\r\n");
    socket.write("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    await refusal;
    gateway.task.state = "revoked";
    await sendRaw(gateway.url, gateway.request("GET", "/revoked"));
    await gateway.entry(2);
    expect(await figures("countersign_proxy_upstream_errors_total")).toEqual([
      'countersign_proxy_upstream_errors_total{code="unreachable"} 0',
      'countersign_proxy_upstream_errors_total{code="bad_response"} 0',
      'countersign_proxy_upstream_errors_total{code="upstream_refused"} 1',
      'countersign_proxy_upstream_errors_total{code="timeout"} 1',
    ]);
  });

  test("name no agent, task, account, path or host", async () => {
    const { gateway, upstream, metrics } = await start();
    const answer = sendRaw(gateway.url, gateway.request("GET", "/v1/secret?q=secret"));
    (await upstream.connection(0)).socket.write(OK);
    await answer;
    expect(await metrics.render()).not.toMatch(/agent_1|task_1|acct-1|secret|127\.0\.0\.1/);
  });

  test("of one gateway are not those of another", async () => {
    const [first, second] = [await start(), await start()];
    await sendRaw(first.gateway.url, "GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n");
    await first.gateway.entry(0);
    expect(await first.figures("countersign_proxy_requests_total")).toHaveLength(1);
    expect(await second.figures("countersign_proxy_requests_total")).toHaveLength(0);
  });
});
