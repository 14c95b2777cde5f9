import { parseAssertion } from "@countersign/agent-assertion";
import { AgentKeyError } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { createProxyMetrics } from "../src/exchange/proxy-metrics.js";
import { connectRaw, readAnswer } from "./raw-client.js";
import { OK, type RawConnection, type RawUpstream, startRawUpstream } from "./raw-upstream.js";
import {
  credentialOf,
  startSigningProxy,
  type TestSigningProxyOptions,
} from "./start-signing-proxy.js";

const CHUNKED = "Transfer-Encoding: chunked\r\n";
const LENGTH_5 = "Content-Length: 5\r\n";

function refusal(code: string): string {
  const body = JSON.stringify({ status: 401, code, detail: "no" });
  return `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: AgentAssertion error="${code}"\r\nContent-Type: application/problem+json\r\nX-Own: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The tasks of all requests that came on all connections, in order. */
function tasksAt(upstream: RawUpstream): string[] {
  return upstream.connections.flatMap(({ bytes }) =>
    [...bytes.text.matchAll(/^authorization: (AgentAssertion .*)\r$/gim)].map(
      (line) => parseAssertion(line[1]).taskId,
    ),
  );
}

async function begin(options: Partial<TestSigningProxyOptions> = {}) {
  const upstream = await startRawUpstream("");
  const signing = await startSigningProxy({ upstream: upstream.url, ...options });
  signing.source.next = credentialOf("task_2");
  const client = await connectRaw(signing.url);
  return { upstream, signing, client };
}

/** Answers the first request and returns the connection of the second. */
async function refuse(upstream: RawUpstream, answer: string): Promise<RawConnection> {
  const first = await upstream.connection(0);
  await first.bytes.until("\r\n\r\n");
  first.socket.write(answer, "latin1");
  return upstream.connection(1);
}

describe("a 401 is handed up as it came, but for its challenge", () => {
  test("when the source has no other credential", async () => {
    const { upstream, signing, client } = await begin();
    signing.source.next = undefined;
    client.send(signing.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.write(refusal("bad_signature"));
    const answer = await readAnswer(client);
    expect(answer.status).toBe(401);
    expect(answer.head).not.toMatch(/www-authenticate/i);
    expect(answer.head).toContain("X-Own: 1\r\n");
    expect(JSON.parse(answer.body)).toMatchObject({ code: "bad_signature" });
    expect(signing.source.calls).toEqual(["credential", "refused bad_signature"]);
    expect(signing.source.refusals).toEqual([{ code: "bad_signature", origin: upstream.url }]);
    expect(signing.audit).toMatchObject([{ status: 401, task_id: "task_1" }]);
    expect(upstream.connections).toHaveLength(1);
  });

  test("when its code stands in its body alone, which was read to its end", async () => {
    const { upstream, signing, client } = await begin();
    signing.source.next = undefined;
    client.send(signing.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    const body = '{"status":401,"code":"bad_signature"}';
    const head = "HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\n";
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
    socket.write(`${head}Transfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n${chunk}`);
    socket.write("0\r\nX-After: 1\r\n\r\n");
    const answer = await readAnswer(client);
    expect(answer.status).toBe(401);
    expect(answer.body).toBe(`${chunk}0\r\nX-After: 1\r\n\r\n`);
    expect(signing.source.calls).toEqual(["credential", "refused bad_signature"]);
  });

  test("when the second attempt is refused too, and the source is not asked again (G-P7)", async () => {
    const { upstream, signing, client } = await begin();
    client.send(signing.request("GET", "/v1"));
    await refuse(upstream, refusal("unknown_task")).then(async ({ bytes, socket }) => {
      await bytes.until("\r\n\r\n");
      socket.write(refusal("task_revoked"));
    });
    const answer = await readAnswer(client);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "task_revoked" });
    expect(signing.source.calls).toEqual(["credential", "refused unknown_task"]);
    expect(tasksAt(upstream)).toEqual(["task_1", "task_2"]);
  });

  test.each([
    ["of a length beyond the limit", "Content-Length: 6\r\n", "hello!"],
    ["in chunks beyond the limit", CHUNKED, "6\r\nhello!\r\n0\r\n\r\n"],
  ])("when the body is %s, but the source gets the refusal", async (_, lines, body) => {
    const { upstream, signing, client } = await begin({ replayBodyBytes: 5 });
    client.send(signing.request("POST", "/v1", lines) + body);
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("hello!");
    socket.write(refusal("unknown_task"));
    expect(await readAnswer(client)).toMatchObject({ status: 401 });
    expect(signing.source.calls).toEqual(["credential", "refused unknown_task"]);
    expect(upstream.connections).toHaveLength(1);
  });

  test("when it turns out that the rest of the body is too long, which then goes on (G-P7)", async () => {
    const { upstream, signing, client } = await begin({ replayBodyBytes: 5 });
    client.send(`${signing.request("POST", "/v1", CHUNKED)}3\r\nhel\r\n`);
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("hel");
    const challenge = 'WWW-Authenticate: AgentAssertion error="unknown_task"\r\n';
    socket.write(`HTTP/1.1 401 No\r\n${challenge}${CHUNKED}\r\n3\r\none\r\n`);
    client.send("4\r\nlo, \r\n");
    expect(await client.bytes.until("one")).toMatch(/^HTTP\/1\.1 401 /);
    client.send("5\r\nworld\r\n0\r\n\r\n");
    expect(await bytes.until("\r\n0\r\n\r\n")).toMatch(
      /\r\n\r\n3\r\nhel\r\n4\r\nlo, \r\n5\r\nworld\r\n0\r\n\r\n$/,
    );
    socket.write("0\r\n\r\n");
    expect(await readAnswer(client)).toMatchObject({ status: 401 });
    expect(upstream.connections).toHaveLength(1);
  });

  test("when nothing is decided in time", async () => {
    const { upstream, signing, client } = await begin({ limits: { admitMs: 20 } });
    signing.source.refused = () => new Promise(() => {});
    client.send(signing.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.write(refusal("unknown_task"));
    expect(await readAnswer(client)).toMatchObject({ status: 401 });
  });

  test("with a body that streams, after as much of it as it takes to learn the code", async () => {
    const { upstream, signing, client } = await begin();
    signing.source.next = undefined;
    client.send(signing.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    const long = "x".repeat(70_000);
    const head = `HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\n${CHUNKED}\r\n`;
    socket.write(`${head}11170\r\n${long}\r\n`);
    await client.bytes.until(long.slice(0, 60_000));
    socket.write("4\r\ntail\r\n0\r\n\r\n");
    const answer = await readAnswer(client);
    expect(answer.status).toBe(401);
    expect(answer.body.replaceAll(/[\r\n]|^[0-9a-f]+$/gm, "")).toBe(`${long}tail`);
    expect(signing.source.calls).toEqual(["credential", "refused undefined"]);
  });
});

describe("a request is sent once more, under the other credential,", () => {
  test("without a body", async () => {
    const { upstream, signing, client } = await begin();
    client.send(signing.request("GET", "/v1?a=b", "X-Own: 1\r\n"));
    const second = await refuse(upstream, refusal("unknown_task"));
    // The body of the 401 was not read: it would be the next request's answer.
    await (await upstream.connection(0)).bytes.closed;
    const seen = await second.bytes.until("\r\n\r\n");
    expect(seen).toMatch(/^GET \/v1\?a=b HTTP\/1\.1\r\n/);
    expect(seen).toContain("\r\nX-Own: 1\r\n");
    second.socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200, body: "ok" });
    expect(tasksAt(upstream)).toEqual(["task_1", "task_2"]);
    const accepted = `accepted ${upstream.url}`;
    expect(signing.source.calls).toEqual(["credential", "refused unknown_task", accepted]);
    expect(signing.audit).toMatchObject([{ status: 200, task_id: "task_2" }]);
    expect(client.bytes.text).not.toContain("401");
  });

  test.each([
    ["of a length", LENGTH_5, "hello", "hello"],
    [
      "in chunks, with its trailers",
      `${CHUNKED}Trailer: X-Sum\r\n`,
      "5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n",
      "5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n",
    ],
  ])("with a body %s", async (_, lines, sent, received) => {
    const { upstream, signing, client } = await begin({ replayBodyBytes: 5 });
    client.send(signing.request("POST", "/v1", lines) + sent);
    const first = await upstream.connection(0);
    await first.bytes.until(received);
    const second = await refuse(upstream, refusal("unknown_task"));
    expect(await second.bytes.until(received)).toMatch(/^POST /);
    second.socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    expect(second.bytes.text.endsWith(`\r\n\r\n${received}`)).toBe(true);
  });

  test("with a body that was not whole when the 401 came", async () => {
    const { upstream, signing, client } = await begin();
    client.send(`${signing.request("POST", "/v1", "Content-Length: 10\r\n")}hello`);
    const first = await upstream.connection(0);
    await first.bytes.until("hello");
    first.socket.write(refusal("unknown_task"));
    client.send("world");
    const second = await upstream.connection(1);
    expect(await second.bytes.until("helloworld")).toMatch(/^POST /);
    // Half a request is on it: nothing else ever goes there.
    await first.bytes.closed;
    expect(first.bytes.text).not.toContain("world");
    second.socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
  });

  test("with trailers, whose lines that are not forwarded count once", async () => {
    const metrics = createProxyMetrics();
    const { upstream, signing, client } = await begin({ metrics });
    const trailers = "X-Sum: 9\r\nX.Own: evil\r\n";
    client.send(`${signing.request("POST", "/v1", CHUNKED)}3\r\nhel\r\n0\r\n${trailers}\r\n`);
    const first = await upstream.connection(0);
    await first.bytes.until("X-Sum: 9\r\n\r\n");
    // Without an end of the connection in between, the second attempt may come over the same one.
    first.socket.end(`${refusal("unknown_task").replace("X-Own: 1", "Connection: close")}`);
    const { bytes, socket } = await upstream.connection(1);
    expect(await bytes.until("X-Sum: 9\r\n\r\n")).not.toContain("evil");
    socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    expect(await metrics.render()).toMatch(/^countersign_proxy_fields_left_out_total 1$/m);
  });

  test("with a body that its client keeps until it is asked for it", async () => {
    const { upstream, signing, client } = await begin();
    client.send(signing.request("POST", "/v1", `${LENGTH_5}Expect: 100-continue\r\n`));
    const second = await refuse(upstream, refusal("unknown_task"));
    expect(await second.bytes.until("\r\n\r\n")).toContain("expect: 100-continue\r\n");
    expect(client.bytes.text).toBe("");
    second.socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    await client.bytes.until("100 Continue\r\n\r\n");
    client.send("hello");
    await second.bytes.until("hello");
    second.socket.write(OK);
    await client.bytes.until("\r\n\r\nok");
    expect((await upstream.connection(0)).bytes.text).not.toContain("hello");
  });

  test("when the code is in the problem alone, and on a connection of its own", async () => {
    const { upstream, signing, client } = await begin();
    client.send(signing.request("GET", "/v1"));
    const body = '{"code":"task_expired"}';
    const type = "application/problem+json; charset=utf-8";
    await refuse(
      upstream,
      `HTTP/1.1 401 No\r\nContent-Type: ${type}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(signing.source.calls).toEqual(["credential", "refused task_expired"]);
  });

  test("over the same connection where the 401 was read whole", async () => {
    const { upstream, signing, client } = await begin();
    client.send(signing.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    const body = '{"code":"unknown_task"}';
    socket.write(
      `HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await bytes.until("\r\n\r\n", 2);
    socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    expect(tasksAt(upstream)).toEqual(["task_1", "task_2"]);
    expect(upstream.connections).toHaveLength(1);
  });

  test("after a 401 of a foreign server without a code", async () => {
    const { upstream, signing, client } = await begin();
    client.send(signing.request("GET", "/v1"));
    const answer = "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n";
    await refuse(upstream, answer);
    expect(signing.source.calls).toEqual(["credential", "refused undefined"]);
  });

  test("also for a WebSocket", async () => {
    const { upstream, signing, client } = await begin();
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    client.send(
      signing.request(
        "GET",
        "/v1",
        `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`,
      ),
    );
    const second = await refuse(upstream, refusal("unknown_task"));
    expect(await second.bytes.until("\r\n\r\n")).toContain("upgrade: websocket\r\n");
    second.socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
    await client.bytes.until("101 Switching Protocols");
    client.send("\x81\x02hi");
    await second.bytes.until("\x81\x02hi");
    expect(tasksAt(upstream)).toEqual(["task_1", "task_2"]);
    const accepted = `accepted ${upstream.url}`;
    expect(signing.source.calls).toEqual(["credential", "refused unknown_task", accepted]);
  });
});

test("the client gets the source's error instead of the 401", async () => {
  const { upstream, signing, client } = await begin();
  signing.source.refused = () =>
    Promise.reject(
      new AgentKeyError("agent_revoked", "this agent was revoked", { hint: "ask its operator" }),
    );
  client.send(signing.request("GET", "/v1"));
  const { bytes, socket } = await upstream.connection(0);
  await bytes.until("\r\n\r\n");
  socket.write(refusal("agent_revoked"));
  const answer = await readAnswer(client);
  expect(answer.status).toBe(401);
  expect(answer.head).not.toContain("X-Own");
  expect(JSON.parse(answer.body)).toMatchObject({
    code: "agent_revoked",
    detail: "this agent was revoked; ask its operator",
  });
});

test("a 401 that breaks off before its code was read is answered 502 at once", async () => {
  const { upstream, signing, client } = await begin({ limits: { admitMs: 60_000 } });
  signing.source.next = undefined;
  client.send(signing.request("GET", "/v1"));
  const { bytes, socket } = await upstream.connection(0);
  await bytes.until("\r\n\r\n");
  const head = "HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\n";
  socket.end(`${head}Content-Length: 50\r\n\r\n{"status"`);
  const answer = await readAnswer(client);
  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "bad_response" });
  expect(signing.source.calls).toEqual(["credential", "refused undefined"]);
}, 20_000);

test("a client that goes away while another credential is sought ends it all", async () => {
  const { upstream, signing, client } = await begin();
  const asked = new Promise<AbortSignal | undefined>((resolve) => {
    signing.source.refused = (_, __, options) => {
      resolve(options?.signal);
      return new Promise(() => {});
    };
  });
  client.send(signing.request("GET", "/v1"));
  const { bytes, socket } = await upstream.connection(0);
  await bytes.until("\r\n\r\n");
  socket.write(refusal("unknown_task"));
  const signal = await asked;
  client.socket.destroy();
  await bytes.closed;
  expect(signal?.aborted).toBe(true);
  expect(signing.audit).toMatchObject([{ status: 499, code: "cancelled" }]);
});

test("any answer but 401 is told to the source", async () => {
  const { upstream, signing, client } = await begin();
  client.send(signing.request("GET", "/v1"));
  const { bytes, socket } = await upstream.connection(0);
  await bytes.until("\r\n\r\n");
  socket.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  expect(await readAnswer(client)).toMatchObject({ status: 503 });
  expect(signing.source.calls).toEqual(["credential", `accepted ${upstream.url}`]);
});
