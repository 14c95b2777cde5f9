import { describe, expect, test, vi } from "vitest";
import { createVerifyingGateway } from "../src/gateway/verifying-gateway.js";
import { connectRaw, readAnswer } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";

const STREAM = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";

async function openStream(answer = STREAM, options = {}) {
  const upstream = await startRawUpstream(answer);
  const gateway = await startGateway({ upstream: upstream.url, recheckMs: 10, ...options });
  const client = await connectRaw(gateway.url);
  client.send(gateway.request("GET", "/v1"));
  const connection = await upstream.connection(0);
  await connection.bytes.until("\r\n\r\n");
  return { upstream, gateway, client, connection };
}

describe("an open stream", () => {
  test.each([
    ["task", "revoked", "task_revoked"],
    ["task", "expired", "task_expired"],
    ["agent", "revoked", "agent_revoked"],
    ["agent", "expired", "agent_expired"],
  ] as const)("is closed on both sides once its %s is %s (G-R6)", async (what, state, code) => {
    const { gateway, client, connection } = await openStream();
    await client.bytes.until("abc");
    gateway[what].state = state;
    await client.bytes.closed;
    await connection.bytes.closed;
    expect(client.bytes.text).not.toContain("0\r\n\r\n");
    expect(await gateway.entry(0)).toMatchObject({
      status: 200,
      code,
      agent_runtime_id: "agent_1",
    });
  });

  test("is forbidden while the upstream has not answered, by no 401 that would have it sent again (G-I7)", async () => {
    const { gateway, client, connection } = await openStream("");
    gateway.task.state = "revoked";
    const { status, head, body } = await readAnswer(client);
    expect(status).toBe(403);
    expect(head).not.toMatch(/^www-authenticate:/im);
    expect(JSON.parse(body)).toMatchObject({ status: 403, code: "forbidden" });
    expect(await gateway.entry(0)).toMatchObject({ status: 403, code: "task_revoked" });
    await connection.bytes.closed;
  });

  test("goes on while its task lives, however often it is looked at", async () => {
    let looks = 0;
    let wake = (): void => {};
    const third = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const { client, connection, gateway } = await openStream(STREAM, {
      verifier: {
        authority: "https://authority.example",
        binding: undefined,
        verify: async () => ({ agentRuntimeId: "agent_1", taskId: "task_1", accountId: "acct-1" }),
        recheck: async () => {
          looks += 1;
          if (looks === 3) wake();
        },
      },
    });
    await third;
    connection.socket.write("0\r\n\r\n");
    await client.bytes.until("\r\n0\r\n\r\n");
    expect(await gateway.entry(0)).not.toHaveProperty("code");
  });

  test("is closed if the check cannot be made any more (G-R6)", async () => {
    // A slow machine may look again before the answer has begun.
    let isOpen = false;
    const { client, gateway } = await openStream(STREAM, {
      verifier: {
        authority: "https://authority.example",
        binding: undefined,
        verify: async () => ({ agentRuntimeId: "agent_1", taskId: "task_1", accountId: "acct-1" }),
        recheck: async () => {
          if (isOpen) throw new Error("no answer");
        },
      },
    });
    isOpen = true;
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 200, code: "server_error" });
  });
});

describe("close", () => {
  test("lets what is open end by itself, and takes nothing new", async () => {
    const { gateway, client, connection } = await openStream("");
    const closed = gateway.gateway.close({ drainMs: 60_000 });
    await vi.waitFor(
      () => expect(connectRaw(gateway.url)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/),
      60_000,
    );
    connection.socket.write(OK);
    const { status, head } = await readAnswer(client);
    expect(status).toBe(200);
    expect(head).toMatch(/^connection: close\r$/im);
    await closed;
    await client.bytes.closed;
    await connection.bytes.closed;
    await gateway.gateway.close();
  });

  test("answers 503 to what was sent before and is not yet read, on a connection that was kept", async () => {
    const upstream = await startRawUpstream(OK);
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    const { head, body } = await readAnswer(client);
    const first = `${head}\r\n${body}`;
    client.send(gateway.request("GET", "/v1"));
    await gateway.gateway.close();
    await client.bytes.closed;
    const second = client.bytes.text.slice(first.length);
    expect(second).toMatch(/^HTTP\/1\.1 503 /);
    expect(second).toMatch(/^connection: close\r$/im);
    expect(upstream.connections).toHaveLength(1);
  });

  test("breaks off what is still open after the drain", async () => {
    const { gateway, client, connection } = await openStream();
    await client.bytes.until("abc");
    await gateway.gateway.close({ drainMs: 10 });
    await client.bytes.closed;
    await connection.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 200, code: "server_error" });
  });

  test("answers what the upstream has not answered after the drain with 503", async () => {
    const { gateway, client } = await openStream("");
    await gateway.gateway.close({ drainMs: 10 });
    expect(await readAnswer(client)).toMatchObject({ status: 503 });
  });

  test("ends a gateway that never listened", async () => {
    const gateway = createVerifyingGateway({
      verifier: {
        authority: "https://authority.example",
        binding: undefined,
        verify: () => Promise.reject(new Error("unused")),
        recheck: () => Promise.resolve(),
      },
      upstream: "https://api.example",
      accounts: "any",
    });
    await gateway.close();
  });
});
