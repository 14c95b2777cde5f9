import { parseAssertion } from "@countersign/agent-assertion";
import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy, TOKEN } from "./start-signing-proxy.js";

function assertionIn(head: string) {
  const lines = [...head.matchAll(/^authorization: (.*)\r$/gim)].map((line) => line[1]);
  expect(lines).toHaveLength(1);
  return parseAssertion(lines[0]);
}

describe("a signed request", () => {
  test("has the thread's assertion in place of the client token, and is else as it came (G-P4)", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: `${upstream.url}/base` });
    const lines = "Content-Type: text/plain\r\nX-Own: 1\r\nContent-Length: 2\r\n";
    const answer = await sendRaw(signing.url, `${signing.request("POST", "/v1?a=b", lines)}hi`);
    expect(answer).toMatchObject({ status: 200, body: "ok" });
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).toMatch(/^POST \/base\/v1\?a=b HTTP\/1\.1\r\n/);
    expect(bytes.text).toContain(`\r\nhost: ${new URL(upstream.url).host}\r\n`);
    expect(bytes.text).toContain("\r\nContent-Type: text/plain\r\nX-Own: 1\r\n");
    expect(bytes.text.endsWith("\r\n\r\nhi")).toBe(true);
    expect(bytes.text).not.toContain(TOKEN);
    expect(assertionIn(bytes.text)).toMatchObject({ agentRuntimeId: "agent_1", taskId: "task_1" });
    expect(signing.source.calls).toEqual(["credential", `accepted ${upstream.url}`]);
    expect(signing.threads).toEqual([undefined]);
  });

  test("goes on before its body is whole, and so does its answer", async () => {
    const upstream = await startRawUpstream("");
    const signing = await startSigningProxy({ upstream: upstream.url });
    const client = await connectRaw(signing.url);
    client.send(signing.request("POST", "/v1", "Transfer-Encoding: chunked\r\n"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    client.send("2\r\nhi\r\n");
    await bytes.until("hi");
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n");
    await client.bytes.until("one");
    client.send("0\r\n\r\n");
    await bytes.until("\r\n0\r\n\r\n");
    socket.write("0\r\n\r\n");
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
  });

  test("takes its token from x-api-key as well", async () => {
    const upstream = await startRawUpstream(OK);
    const signing = await startSigningProxy({ upstream: upstream.url });
    const text = `GET / HTTP/1.1\r\nHost: ${signing.host}\r\nX-Api-Key: ${TOKEN}\r\n\r\n`;
    expect(await sendRaw(signing.url, text)).toMatchObject({ status: 200 });
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).not.toContain(TOKEN);
    expect(assertionIn(bytes.text)).toMatchObject({ taskId: "task_1" });
  });
});
