import { AgentKeyError } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy, type TestSigningProxyOptions } from "./start-signing-proxy.js";

const OK_ONCE = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

async function start(options: Partial<TestSigningProxyOptions> = {}) {
  const upstream = await startRawUpstream(OK_ONCE);
  const signing = await startSigningProxy({ upstream: upstream.url, ...options });
  const send = async (lines: string) => sendRaw(signing.url, signing.request("GET", "/v1", lines));
  const seen = async (index: number) => (await upstream.connection(index)).bytes.text;
  return { upstream, signing, send, seen };
}

describe("the thread of a request", () => {
  test("is the value of X-Thread-Id, which goes no further", async () => {
    const { signing, send, seen } = await start();
    await send("X-Thread-Id: thread-1\r\n");
    await send("x_thread_id: thread-2\r\n");
    expect(signing.threads).toEqual(["thread-1", "thread-2"]);
    expect((await seen(0)) + (await seen(1))).not.toMatch(/thread.id/i);
  });

  test("is else that of Codex's session_id, which its upstream gets too", async () => {
    const { signing, send, seen } = await start();
    await send("session_id: 0199-abc\r\n");
    await send("session_id: 0199-abc\r\nX-Thread-Id: thread-1\r\n");
    expect(signing.threads).toEqual(["0199-abc", "thread-1"]);
    expect(await seen(0)).toContain("\r\nsession_id: 0199-abc\r\n");
    expect(await seen(1)).toContain("\r\nsession_id: 0199-abc\r\n");
  });

  test("is the run where it names none", async () => {
    const { signing, send } = await start();
    await send("");
    await send("");
    expect(signing.threads).toEqual([undefined]);
  });

  test("may be named by other fields, and by them alone", async () => {
    const { signing, send, seen } = await start({ threadHeaders: ["X-Conversation", "X-Chat"] });
    await send("X-Chat: b\r\nX-Conversation: a\r\nX-Thread-Id: c\r\n");
    await send("X-Chat: b\r\n");
    expect(signing.threads).toEqual(["a", "b"]);
    expect(await seen(0)).toContain("\r\nX-Thread-Id: c\r\n");
    expect(await seen(0)).not.toMatch(/x-chat|x-conversation/i);
  });

  test("has up to 256 visible ASCII characters, whatever they are", async () => {
    const { signing, send } = await start();
    const ids = ["x".repeat(256), "../../etc", "a:b%2f\"<>'"];
    for (const id of ids) {
      expect(await send(`X-Thread-Id: ${id}\r\n`)).toMatchObject({ status: 200 });
    }
    expect(signing.threads).toEqual(ids);
  });
});

describe("live threads", () => {
  test("have one source each, and the one that has been idle for longest makes room", async () => {
    const { upstream, signing, send } = await start({ maxThreads: 2 });
    for (const id of ["a", "b", "a", "c", "a", "b"]) {
      expect(await send(`X-Thread-Id: ${id}\r\n`)).toMatchObject({ status: 200 });
    }
    // Thread b made room for c, and c for b.
    expect(signing.threads).toEqual(["a", "b", "c", "b"]);
    expect(upstream.connections).toHaveLength(6);
  });

  test("are refused only while all of them have requests in work (G-P6)", async () => {
    const upstream = await startRawUpstream("");
    const signing = await startSigningProxy({ upstream: upstream.url, maxThreads: 2 });
    const open = async (id: string, index: number) => {
      const client = await connectRaw(signing.url);
      client.send(signing.request("GET", "/v1", `X-Thread-Id: ${id}\r\n`));
      const { bytes, socket } = await upstream.connection(index);
      await bytes.until("\r\n\r\n");
      return { client, socket };
    };
    const first = await open("a", 0);
    const second = await open("b", 1);
    const again = await open("b", 2);
    const third = signing.request("GET", "/v1", "X-Thread-Id: c\r\n");
    const refused = await sendRaw(signing.url, third);
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({ code: "rate_limited" });
    expect(refused.head).toContain("retry-after: 5\r\n");

    // One of two requests is over: thread b is in use.
    second.socket.end(OK_ONCE);
    await readAnswer(second.client);
    expect(await sendRaw(signing.url, third)).toMatchObject({ status: 429 });
    // A client that goes away leaves as well as one that was answered.
    again.client.socket.destroy();
    await again.client.bytes.closed;
    await (await upstream.connection(2)).bytes.closed;
    const { client, socket } = await open("c", 3);
    socket.end(OK_ONCE);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    expect(signing.threads).toEqual(["a", "b", "c"]);
    first.socket.end(OK_ONCE);
    expect(await readAnswer(first.client)).toMatchObject({ status: 200 });
  });

  test("leave when their request is refused, and while its refusal is not read", async () => {
    const { signing, send } = await start({ maxThreads: 1 });
    signing.source.credential = () => Promise.reject(new AgentKeyError("timeout", "no task"));
    for (const id of ["a", "b", "c"]) {
      expect(await send(`X-Thread-Id: ${id}\r\n`)).toMatchObject({ status: 504 });
    }
    expect(signing.threads).toEqual(["a", "b", "c"]);
  });

  test("are kept for 1,000 ids by default, and any number of ids is served (G-P6)", async () => {
    const { signing, send } = await start();
    signing.source.credential = () => Promise.reject(new AgentKeyError("timeout", "no task"));
    const client = await connectRaw(signing.url);
    for (let id = 0; id < 1_100; id += 1) {
      client.send(signing.request("GET", "/v1", `X-Thread-Id: t${id}\r\n`));
      // One connection has only so many requests in work.
      if (id % 10 === 9) await client.bytes.until("HTTP/1.1 504 ", id + 1);
    }
    expect(signing.threads).toHaveLength(1_100);
    await send("X-Thread-Id: t100\r\n");
    expect(signing.threads).toHaveLength(1_100);
    await send("X-Thread-Id: t99\r\n");
    expect(signing.threads).toHaveLength(1_101);
  });
});
