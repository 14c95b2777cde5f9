import { describe, expect, test } from "vitest";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { connectRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";

const CLIENTS_OWN = "X-First: client\r\nX-Second: client\r\n";

async function begin() {
  const upstream = await startRawUpstream("");
  const gateway = await startGateway({
    upstream: upstream.url,
    upstreamHeaders: { "X-First": "one", Authorization: "Bearer one" },
  });
  async function forwarded(index: number, lines = CLIENTS_OWN): Promise<string> {
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", `/${index}`, lines));
    return (await upstream.connection(index)).bytes.until("\r\n\r\n");
  }
  return { upstream, gateway, forwarded };
}

test("headers for the upstream are refused when clients may set one of them", async () => {
  const upstream = await startRawUpstream("");
  const { gateway } = await startGateway({
    upstream: upstream.url,
    forwardHeaders: ["OpenAI-Project"],
  });
  const set = (): void => gateway.setUpstreamHeaders({ openai_project: "secret" });
  expect(set).toThrow(AssertionProxyError);
  expect(set).toThrow(expect.objectContaining({ code: "config_invalid" }));
  expect(set).not.toThrow(/secret/);
});

describe("headers for the upstream that are set while the gateway runs", () => {
  test("stand in place of all before them, in what is admitted from then on", async () => {
    const { gateway, forwarded } = await begin();
    expect(await forwarded(0)).toMatch(
      /X-Second: client\r\nX-First: one\r\nAuthorization: Bearer one/,
    );
    gateway.gateway.setUpstreamHeaders({ "X-Second": "two" });
    const second = await forwarded(1);
    expect(second).toContain("X-First: client\r\nX-Second: two\r\n");
    expect(second).not.toMatch(/one|Authorization|X-Second: client/);
  });

  test("do not reach a request that was admitted before", async () => {
    const { gateway, upstream } = await begin();
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("POST", "/0", "Transfer-Encoding: chunked\r\n"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    gateway.gateway.setUpstreamHeaders({ "X-Second": "two" });
    client.send("3\r\nabc\r\n0\r\nX-First: client\r\nX-Second: client\r\n\r\n");
    const seen = await bytes.until("X-Second: client\r\n\r\n");
    expect(seen).toMatch(/X-First: one\r\n/);
    // The names at its admission decide over its trailers too.
    expect(seen).not.toContain("X-First: client");
    socket.write(OK);
    await client.bytes.until("\r\n\r\nok");
  });

  test.each([
    [{ "X-First": "two", x_first: "three" }],
    [{ "X-First": "" }],
    [{ "X-Agent-Task-Id": "secret" }],
    [{ "Sec-WebSocket-Key": "secret" }],
    [{ "X-First": "secret\r\nX: y" }],
  ])("are refused whole when one of them cannot be: %j", async (headers) => {
    const { gateway, forwarded } = await begin();
    const set = (): void => gateway.gateway.setUpstreamHeaders(headers);
    expect(set).toThrow(AssertionProxyError);
    expect(set).toThrow(expect.objectContaining({ code: "config_invalid" }));
    expect(set).not.toThrow(/secret/);
    expect(await forwarded(0)).toContain("X-First: one\r\nAuthorization: Bearer one\r\n");
  });
});
