import { once } from "node:events";
import http, { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { platformFetch } from "./platform-fetch.js";
import { readBounded } from "./read-bounded.js";

const init = { redirect: "manual" } as const;

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

const textOf = async (response: Response) =>
  new TextDecoder().decode((await readBounded(response, 1000)).bytes);

describe("a request to loopback", () => {
  test("to a port on which nothing listens rejects with the system's code", async () => {
    await expect(platformFetch("http://127.0.0.1:1/", init)).rejects.toMatchObject({
      message: "fetch failed",
      cause: { code: "ECONNREFUSED" },
    });
  });

  test("whose answer is not HTTP rejects", async () => {
    const { url, server } = await serve(() => undefined);
    server.on("connection", (socket: Socket) => socket.end("what?\r\n\r\n"));
    await expect(platformFetch(url, init)).rejects.toMatchObject({
      cause: { code: expect.stringMatching(/^HPE_/) },
    });
  });

  test("with a signal that is aborted before is not sent", async () => {
    const asked = vi.fn();
    const { url } = await serve(asked);
    const signal = AbortSignal.abort(new Error("left"));
    await expect(platformFetch(url, { ...init, signal })).rejects.toThrow("left");
    expect(asked).not.toHaveBeenCalled();
  });

  test("ends with its signal before the answer and within it, and closes the connection", async () => {
    for (const part of ["none", "head"]) {
      const closed = Promise.withResolvers<void>();
      const { url } = await serve((request, response) => {
        request.socket.on("close", closed.resolve);
        if (part === "head") response.write("first");
        else leaving.abort(new Error("left"));
      });
      const leaving = new AbortController();
      const reading = async () => {
        const response = await platformFetch(url, { ...init, signal: leaving.signal });
        leaving.abort(new Error("left"));
        return await readBounded(response, 1000);
      };
      await expect(reading(), part).rejects.toThrow("left");
      await closed.promise;
    }
  });

  test.each([
    [
      "that is upgraded",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    ],
    ["with a status that does not exist", "HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n"],
    ["of which nothing comes", ""],
  ])("rejects for a connection %s and is closed", async (_, bytes) => {
    const { url, server } = await serve(() => undefined);
    server.on("connection", (socket: Socket) => {
      socket.removeAllListeners("data");
      socket.once("data", () => (bytes === "" ? socket.end() : socket.write(bytes)));
    });
    await expect(platformFetch(url, init)).rejects.toThrow(TypeError);
  });

  test("is not sent by what a program made of node:http and of navigator", async () => {
    const { url } = await serve((_, response) => response.end("direct"));
    const replaced = vi.spyOn(http, "request").mockImplementation(() => expect.fail());
    vi.stubGlobal("navigator", undefined);
    vi.stubGlobal("fetch", () => expect.fail());
    onTestFinished(() => {
      replaced.mockRestore();
      vi.unstubAllGlobals();
    });
    expect(await textOf(await platformFetch(url, init))).toBe("direct");
  });

  test("of status 205 is read no further", async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await serve((request, response) => {
      request.socket.on("close", closed.resolve);
      response.writeHead(205).write("endless");
    });
    expect((await platformFetch(url, init)).body).toBeNull();
    await closed.promise;
  });

  test("sends method, fields and body, and gives the answer as it came", async () => {
    const seen: unknown[] = [];
    const { url } = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const { "content-type": type, "content-length": length, "x-own": own } = request.headers;
      seen.push([request.method, body, type, length, own]);
      response.writeHead(201, { "x-a": ["1", "2"] }).end("made");
    });
    const body = new URLSearchParams({ a: "b c" });
    const headers = { "x-own": "yes" };
    const response = await platformFetch(url, { ...init, method: "POST", body, headers });
    expect(seen).toEqual([
      ["POST", "a=b+c", "application/x-www-form-urlencoded;charset=UTF-8", "5", "yes"],
    ]);
    expect([response.status, response.headers.get("x-a"), await textOf(response)]).toEqual([
      201,
      "1, 2",
      "made",
    ]);
  });

  test.each([204, 302, 304])(
    "gives an answer of status %i, and follows nothing",
    async (status) => {
      const { url } = await serve((_, response) => {
        response.writeHead(status, { location: "/elsewhere", etag: '"1"' }).end();
      });
      const response = await platformFetch(url, init);
      expect([response.status, response.headers.get("etag")]).toEqual([status, '"1"']);
      expect(await textOf(response)).toBe("");
    },
  );

  test("is not the global fetch's, and needs no new connection for the next one", async () => {
    const own = vi.spyOn(globalThis, "fetch");
    onTestFinished(() => own.mockRestore());
    let connections = 0;
    const { url, server } = await serve((_, response) => response.end("ok"));
    server.on("connection", () => {
      connections += 1;
    });
    for (let count = 0; count < 3; count += 1) {
      expect(await textOf(await platformFetch(url, init))).toBe("ok");
    }
    expect([connections, own.mock.calls.length]).toEqual([1, 0]);
  });
});

describe("a request to another host", () => {
  test("is the global fetch's", async () => {
    const answer = new Response("ok");
    const own = vi.spyOn(globalThis, "fetch").mockResolvedValue(answer);
    onTestFinished(() => own.mockRestore());
    expect(await platformFetch("https://authority.test/", init)).toBe(answer);
    expect(own.mock.calls).toEqual([["https://authority.test/", init]]);
  });
});

describe("a body", () => {
  test.each([
    [3, "abc", true],
    [6, "abcdef", false],
    [7, "abcdef", false],
  ])("is read up to %i bytes", async (maxBytes, text, isCut) => {
    const read = await readBounded(new Response("abcdef"), maxBytes);
    expect([new TextDecoder().decode(read.bytes), read.isCut]).toEqual([text, isCut]);
  });

  test("that is longer is cancelled", async () => {
    const cancelled = vi.fn();
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: cancelled,
    });
    expect((await readBounded(new Response(stream), 25)).bytes.length).toBe(25);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  test("there may be none", async () => {
    expect(await readBounded(new Response(null), 1)).toEqual({
      bytes: new Uint8Array(),
      isCut: false,
    });
  });
});
