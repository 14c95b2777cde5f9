import { describe, expect, test } from "vitest";
import { createProxyMetrics, type ProxyMetrics } from "../src/exchange/proxy-metrics.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";
import { startSigningProxy } from "./start-signing-proxy.js";

const CHUNKED = "Transfer-Encoding: chunked\r\n";
// Every character that a field name may have (RFC 9110 §5.6.2) and that is not a letter, a digit, "-" or "_".
const UNUSUAL = [..."!#$%&'*+.^`|~"];

interface Options {
  readonly forwardHeaders?: readonly string[];
  readonly metrics?: ProxyMetrics;
}
const PROXIES = {
  gateway: (upstream: string, options: Options) => startGateway({ upstream, ...options }),
  "signing proxy": (upstream: string, options: Options) =>
    startSigningProxy({ upstream, ...options }),
} as const;

describe.each(Object.entries(PROXIES))("the %s", (_, start) => {
  async function begin(options: Options = {}) {
    const metrics = createProxyMetrics();
    const upstream = await startRawUpstream("");
    const proxy = await start(upstream.url, { metrics, ...options });
    const client = await connectRaw(proxy.url);
    const leftOut = async () =>
      /^countersign_proxy_fields_left_out_total (\d+)$/m.exec(await metrics.render())?.[1];
    return { upstream, proxy, client, leftOut };
  }

  async function refused(line: string): Promise<void> {
    const { upstream, proxy, leftOut } = await begin();
    const answer = await sendRaw(proxy.url, proxy.request("GET", "/v1", `${line}\r\n`));
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: "invalid_request" });
    expect(answer.body).not.toContain("evil");
    expect(upstream.connections).toHaveLength(0);
    expect(await leftOut()).toBe("0");
  }

  test.each(UNUSUAL)(
    "refuses a name that compares equal to a reserved one, with %s (G-G3)",
    (mark) => refused(`X${mark}Agent${mark}Account${mark}Id: evil`),
  );

  test.each([
    "X.Agent.Account.Id: acct-1",
    "X~Agent~Account~Id: acct-1",
    "X-Agent.Task-Id: evil",
    "x.agent_anything: evil",
    "ChatGPT.Account.ID: evil",
    "X.Forwarded.For: evil",
    "X.Real~IP: evil",
    "X.Api.Key: evil",
    "api.key: evil",
    "X.HTTP.Method.Override: evil",
    "Content.Length: 4",
    "Transfer!Encoding: chunked",
    "Proxy.Authorization: evil",
    "Keep.Alive: evil",
    "Sec.WebSocket.Key: evil",
    "X.Agent.evil: 1",
    "evil.Api.Key: 1",
  ])("refuses %j before anything is dialled", refused);

  test("drops another name with an unusual character, and counts the line (G-P4)", async () => {
    const { upstream, proxy, client, leftOut } = await begin();
    client.send(proxy.request("GET", "/v1", "X.Own: evil\r\nX-Own: 1\r\n~: evil\r\nX_Own: 2\r\n"));
    const { bytes, socket } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("X-Own: 1\r\nX_Own: 2\r\n");
    expect(bytes.text).not.toContain("evil");
    socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    expect(await leftOut()).toBe("2");
  });

  test("lets it pass where the operator named it, in any case, and no other spelling", async () => {
    const { upstream, proxy, client, leftOut } = await begin({ forwardHeaders: ["X.Own"] });
    client.send(proxy.request("GET", "/v1", "x.OWN: 1\r\nX~Own: evil\r\n"));
    const { bytes } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("\r\nx.OWN: 1\r\n");
    expect(bytes.text).not.toContain("evil");
    expect(await leftOut()).toBe("1");
  });

  test.each(["X.Agent.Task.Id", "Content.Length", "X.Forwarded.For"])(
    "refuses the trailer %s, and the request never looks whole (G-G3)",
    async (name) => {
      const { upstream, proxy, client } = await begin();
      client.send(proxy.request("POST", "/v1", CHUNKED));
      const { bytes } = await upstream.connection(0);
      client.send(`3\r\nabc\r\n0\r\nX-Sum: 9\r\n${name}: evil\r\n\r\n`);
      const answer = await readAnswer(client);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: "invalid_request" });
      await bytes.closed;
      expect(bytes.text).toMatch(/\r\n\r\n3\r\nabc\r\n$/);
    },
  );

  test("ends an answer that has begun when a trailer is refused", async () => {
    const { upstream, proxy, client } = await begin();
    client.send(proxy.request("POST", "/v1", CHUNKED));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.write(`HTTP/1.1 200 OK\r\n${CHUNKED}\r\n3\r\none\r\n`);
    await client.bytes.until("one");
    client.send("0\r\nX.Agent.Task.Id: evil\r\n\r\n");
    await client.bytes.closed;
    await bytes.closed;
    expect(bytes.text + client.bytes.text).not.toMatch(/evil|\r\n0\r\n/);
    expect(proxy.audit).toMatchObject([{ status: 200, code: "invalid_request" }]);
  });

  test("drops another trailer with an unusual character, and counts it", async () => {
    const { upstream, proxy, client, leftOut } = await begin({ forwardHeaders: ["X.Named"] });
    const announced = "Trailer: X.Named, X.Sum, x_sum, bad name\r\n";
    client.send(proxy.request("POST", "/v1", CHUNKED + announced));
    const { bytes, socket } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("\r\ntrailer: x.named, x_sum\r\n");
    client.send("3\r\nabc\r\n0\r\nX.Sum: evil\r\nX.Named: 1\r\nX_Sum: 2\r\n\r\n");
    const seen = await bytes.until("X_Sum: 2\r\n\r\n");
    expect(seen).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nX\.Named: 1\r\nX_Sum: 2\r\n\r\n$/);
    socket.write(OK);
    await readAnswer(client);
    expect(await leftOut()).toBe("1");
  });

  test("drops the fields that Connection names under another spelling", async () => {
    const { upstream, proxy, client } = await begin();
    client.send(
      proxy.request("GET", "/v1", "Connection: X.Named\r\nX-Named: evil\r\nX-Own: 1\r\n"),
    );
    const { bytes } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("X-Own: 1\r\n");
    expect(bytes.text).not.toContain("evil");
  });

  test("counts nothing of a request that is refused otherwise", async () => {
    const { proxy, leftOut } = await begin();
    const request = proxy.request("GET", "/v1", "X.Own: 1\r\nAuthorization: other\r\n");
    expect(await sendRaw(proxy.url, request)).toMatchObject({ status: 401 });
    expect(await leftOut()).toBe("0");
  });

  test("takes an answer's names as equal to its own in the same way", async () => {
    const { upstream, proxy, client } = await begin();
    client.send(proxy.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.write(
      'HTTP/1.1 200 OK\r\nKeep.Alive: evil\r\nWWW.Authenticate: AgentAssertion error="evil"\r\nX.Own: 1\r\nContent-Length: 2\r\n\r\nok',
    );
    const { head } = await readAnswer(client);
    expect(head).toContain("X.Own: 1\r\n");
    expect(head).not.toContain("evil");
  });

  test("refuses an answer whose length only another server would read", async () => {
    const { upstream, proxy, client } = await begin();
    client.send(proxy.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.end("HTTP/1.1 200 OK\r\nContent.Length: 2\r\n\r\nok");
    expect(JSON.parse((await readAnswer(client)).body)).toMatchObject({ code: "bad_response" });
  });
});

test.each(["X.Thread.Id", "Session.Id"])(
  "the signing proxy does not take its thread from %s",
  async (name) => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url });
    const request = signing.request("GET", "/v1", `${name}: t-1\r\n`);
    const answer = await sendRaw(signing.url, request);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: "invalid_request" });
    expect(signing.threads).toEqual([]);
    expect(upstream.connections).toHaveLength(0);
  },
);
