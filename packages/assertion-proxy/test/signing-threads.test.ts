import { AgentKeyError } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { connectRaw, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy, type TestSigningProxyOptions } from "./start-signing-proxy.js";

const OK_ONCE = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const HOUR = 3_600_000;

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
  test("have one source each, and are refused beyond the limit until one was idle long enough", async () => {
    const clock = { now: 0 };
    const { upstream, signing, send } = await start({ maxThreads: 2, now: () => clock.now });
    await send("X-Thread-Id: a\r\n");
    clock.now = 1_000;
    await send("X-Thread-Id: b\r\n");
    clock.now = 2_000;
    await send("X-Thread-Id: a\r\n");
    clock.now = 2_500;
    const refused = await send("X-Thread-Id: c\r\n");
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({ code: "rate_limited" });
    // Thread b, idle since second 1, makes room an hour later.
    expect(refused.head).toContain("retry-after: 3599\r\n");
    expect(signing.threads).toEqual(["a", "b"]);
    expect(upstream.connections).toHaveLength(3);
    expect(await send("")).toMatchObject({ status: 200 });

    clock.now = 1_000 + HOUR;
    expect(await send("X-Thread-Id: c\r\n")).toMatchObject({ status: 200 });
    expect(await send("X-Thread-Id: a\r\n")).toMatchObject({ status: 200 });
    expect(await send("X-Thread-Id: b\r\n")).toMatchObject({ status: 429 });
    expect(signing.threads).toEqual(["a", "b", undefined, "c"]);
  });

  test("are 1,000 at most by default", async () => {
    const { upstream, signing } = await start();
    let asked = 0;
    signing.source.credential = () => {
      asked += 1;
      return Promise.reject(new AgentKeyError("timeout", "no task"));
    };
    const client = await connectRaw(signing.url);
    for (let id = 0; id < 1_003; id += 1) {
      client.send(signing.request("GET", "/v1", `X-Thread-Id: t${id}\r\n`));
      // One connection has only so many requests in work.
      if (id < 1_000 && id % 10 === 9) await client.bytes.until("HTTP/1.1 504 ", id + 1);
    }
    await client.bytes.until("HTTP/1.1 429 ", 3);
    expect(client.bytes.text.split("HTTP/1.1 504 ")).toHaveLength(1_001);
    expect(asked).toBe(1_000);
    expect(upstream.connections).toHaveLength(0);
  });
});
