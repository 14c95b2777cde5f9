import { once } from "node:events";
import { createServer, type IncomingMessage, request as sendRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { PassThrough, pipeline } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { AssertionRejected } from "../../src/index.js";
import { answerRefusal, problemOf, UnreadableBody, verifyRequest } from "../../src/node.js";
import { expectRejection, failureOf } from "../expect-rejection.js";
import { AGENT_ID, header } from "../fixtures.js";
import { exchange } from "./raw-exchange.js";
import { boundLines, endWithTest, SceneDirectory, verifierOf } from "./scene.js";

const body = Buffer.alloc(300_000, "0123456789");

async function listen(handle: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endWithTest(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Sends one bound request; gives what `handle` makes of it on the server. */
async function receive<T>(handle: (request: IncomingMessage) => Promise<T>): Promise<T> {
  const result = Promise.withResolvers<T>();
  const port = await listen((request, response) => {
    handle(request).then(result.resolve, result.reject);
    result.promise.then(
      () => response.end(),
      (error) => answerRefusal(response, error),
    );
  });
  const lines = [...boundLines("POST", "/x", body), `Content-Length: ${body.length}`];
  await exchange(port, { method: "POST", target: "/x", lines, body });
  return result.promise;
}

const bound = () => verifierOf(new SceneDirectory(), { policy: "require" });

test("a request that a framework made up without a socket is verified", async () => {
  const request = { rawHeaders: ["Authorization", header] } as IncomingMessage;
  const verifier = verifierOf(new SceneDirectory());
  expect(await verifyRequest(request, { verifier })).toMatchObject({ agentRuntimeId: AGENT_ID });
});

describe("the body of a bound request", () => {
  const readers: Record<string, (request: IncomingMessage) => Promise<Buffer>> = {
    "by iteration": (request) => buffer(request),
    "by pipe": (request) => buffer(request.pipe(new PassThrough())),
    "by pipeline": async (request) => {
      const out = new PassThrough();
      pipeline(request, out, () => {});
      return buffer(out);
    },
    "by readable events": async (request) => {
      const chunks: Buffer[] = [];
      request.on("readable", () => {
        for (let chunk = request.read(); chunk !== null; chunk = request.read()) chunks.push(chunk);
      });
      await once(request, "end");
      return Buffer.concat(chunks);
    },
    "by data events": async (request) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      await once(request, "end");
      return Buffer.concat(chunks);
    },
  };

  test.each(Object.entries(readers))("is there for the next reader %s", async (_, read) => {
    const got = await receive(async (request) => {
      await verifyRequest(request, { verifier: bound() });
      return read(request);
    });
    expect(got.equals(body)).toBe(true);
  });

  test.each(Object.entries(readers))("is there %s also some turns later", async (_, read) => {
    const got = await receive(async (request) => {
      await verifyRequest(request, { verifier: bound() });
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      return read(request);
    });
    expect(got.equals(body)).toBe(true);
  });

  test("is there for a second verifier", async () => {
    const got = await receive(async (request) => {
      await verifyRequest(request, { verifier: bound() });
      await verifyRequest(request, { verifier: bound() });
      return buffer(request);
    });
    expect(got.equals(body)).toBe(true);
  });

  test("is refused to a second verifier that takes less", async () => {
    const error = await failureOf(() =>
      receive(async (request) => {
        await verifyRequest(request, { verifier: bound() });
        const verifier = verifierOf(new SceneDirectory(), { policy: "require", maxBodyBytes: 9 });
        // What it is told of the length would stop it before.
        request.rawHeaders.splice(request.rawHeaders.indexOf("Content-Length"), 2);
        request.rawHeaders.push("Transfer-Encoding", "chunked");
        await verifyRequest(request, { verifier });
      }),
    );
    expect(UnreadableBody.is(error) && error.status).toBe(413);
  });

  test("is refused by its length before any of it came", async () => {
    const port = await listen((request, response) => {
      const verifier = verifierOf(new SceneDirectory(), { policy: "require", maxBodyBytes: 9 });
      verifyRequest(request, { verifier }).catch((error) => answerRefusal(response, error));
    });
    const lines = [...boundLines("POST", "/x", body), `Content-Length: ${body.length}`];
    const answer = await exchange(port, { method: "POST", target: "/x", lines });
    expect(answer.status).toBe(413);
  });

  test.each<[string, (request: IncomingMessage) => unknown]>([
    ["read", (request) => buffer(request)],
    [
      "begun to be read",
      (request) =>
        once(
          request.once("data", () => {}),
          "data",
        ),
    ],
    ["given to a listener", (request) => request.on("data", () => {})],
    ["turned into text", (request) => request.setEncoding("utf8")],
  ])("stops the check when it was %s before (G-M8)", async (_, spoil) => {
    const error = await failureOf(() =>
      receive(async (request) => {
        await spoil(request);
        await verifyRequest(request, { verifier: bound() });
      }),
    );
    expect(UnreadableBody.is(error) && error.code).toBe("config_invalid");
    expect(problemOf(error)).toMatchObject({ status: 503 });
    expect(problemOf(error).body).not.toContain("read");
  });

  test("may be given by what read it before", async () => {
    const assertion = await receive(async (request) => {
      const rawBody = await buffer(request);
      return verifyRequest(request, { verifier: bound(), rawBody: () => rawBody });
    });
    expect(assertion.covered).toContain("content-digest");
    const run = () =>
      receive((request) =>
        verifyRequest(request, { verifier: bound(), rawBody: () => Buffer.from("other") }),
      );
    await expectRejection(run, "binding_mismatch");
  });

  test.each<[string, Uint8Array | undefined, Uint8Array]>([
    ["bytes that are not signed", undefined, body],
    ["no byte of a signed body", body, Buffer.alloc(0)],
  ])(
    "given by what read it before, is refused as %s, whatever its head says (G-M6)",
    async (...given) => {
      const [, signed, rawBody] = given;
      const failure = Promise.withResolvers<unknown>();
      const port = await listen(async (request, response) => {
        const verified = verifyRequest(request, { verifier: bound(), rawBody: () => rawBody });
        failure.resolve(await verified.catch((error) => error));
        response.end();
      });
      const lines = [...boundLines("POST", "/x", signed), `Content-Length: ${signed?.length ?? 0}`];
      await exchange(port, {
        method: "POST",
        target: "/x",
        lines,
        ...(signed && { body: signed }),
      });
      await expectRejection(async () => {
        throw await failure.promise;
      }, "binding_mismatch");
    },
  );

  test("is absent if chunks without a byte end after the check began", async () => {
    const verifying = Promise.withResolvers<void>();
    const port = await listen(async (request, response) => {
      const verified = verifyRequest(request, { verifier: bound() });
      verifying.resolve();
      const { covered } = await verified;
      response.end(`${covered.length} ${(await buffer(request)).length}`);
    });
    const socket = connect(port, "127.0.0.1");
    endWithTest(() => socket.destroy());
    const lines = [...boundLines("POST", "/x"), "Transfer-Encoding: chunked", "Connection: close"];
    socket.write(["POST /x HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n"));
    await verifying.promise;
    socket.write("0\r\n\r\n");
    expect(String(await buffer(socket))).toMatch(/^HTTP\/1\.1 200 .*3 0/s);
  });

  test("is no longer waited for when the client goes away", async () => {
    const failure = Promise.withResolvers<unknown>();
    const port = await listen((request) => {
      void failureOf(() => verifyRequest(request, { verifier: bound() })).then(failure.resolve);
    });
    const socket = connect(port, "127.0.0.1");
    const lines = [...boundLines("POST", "/x", body), `Content-Length: ${body.length}`];
    socket.write(["POST /x HTTP/1.1", "Host: x", ...lines, "", "part"].join("\r\n"));
    await once(socket, "ready");
    socket.end(() => socket.destroy());
    const error = await failure.promise;
    expect(UnreadableBody.is(error) && error.code).toBe("cancelled");
  });

  test("is no longer waited for when the caller's signal fires", async () => {
    const failure = Promise.withResolvers<unknown>();
    const caller = new AbortController();
    const port = await listen((request, response) => {
      const { signal } = caller;
      void failureOf(() => verifyRequest(request, { verifier: bound(), signal })).then((error) => {
        failure.resolve(error);
        answerRefusal(response, error);
      });
      setImmediate(() => caller.abort());
    });
    const socket = connect(port, "127.0.0.1");
    endWithTest(() => socket.destroy());
    const lines = [...boundLines("POST", "/x", body), `Content-Length: ${body.length}`];
    socket.write(["POST /x HTTP/1.1", "Host: x", ...lines, "", "part"].join("\r\n"));
    const error = await failure.promise;
    expect(UnreadableBody.is(error) && error.code).toBe("cancelled");
  });
});

describe("answerRefusal", () => {
  const refused = new AssertionRejected("missing", "no assertion");

  test("breaks off an answer that has begun, so that it never looks whole", async () => {
    const port = await listen((_, response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("part", () => answerRefusal(response, refused));
    });
    const error = await failureOf(() => exchange(port, {}));
    expect(String(error)).toMatch(/ended within the answer|ECONNRESET/);
  });

  test("says Date although the server's own is switched off, and leaves an ended answer alone", async () => {
    const port = await listen((_, response) => {
      response.sendDate = false;
      answerRefusal(response, refused);
      answerRefusal(response, refused);
    });
    const answer = await exchange(port, {});
    expect(answer.headers.has("date")).toBe(true);
    expect(answer.headers.get("content-length")).toBe(String(answer.body.length));
  });

  test("does not break off an answer that was given", async () => {
    const port = await listen((_, response) => {
      response.setHeader("content-length", 30 * body.length);
      response.end(Buffer.alloc(30 * body.length));
      answerRefusal(response, refused);
    });
    expect((await exchange(port, {})).body).toHaveLength(30 * body.length);
  });

  test("leaves the connection to further requests", async () => {
    const port = await listen((request, response) => {
      verifyRequest(request, { verifier: verifierOf(new SceneDirectory()) }).then(
        () => response.end("hello"),
        (error) => answerRefusal(response, error),
      );
    });
    const socket = connect(port, "127.0.0.1");
    endWithTest(() => socket.destroy());
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    const next = `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${header}\r\n\r\n`;
    socket.once("data", () => socket.write(next));
    expect(String(await buffer(socket))).toMatch(/^HTTP\/1.1 401.*HTTP\/1.1 200.*hello$/s);
  });
});

test("an upgrade is verified as any other request", async () => {
  const server = createServer();
  server.on("upgrade", async (request, socket) => {
    const error = await failureOf(() => verifyRequest(request, { verifier: bound() }));
    const { status, body } = problemOf(error);
    socket.end(`HTTP/1.1 ${status} Unauthorized\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endWithTest(() => server.close());
  const { port } = server.address() as AddressInfo;
  const headers = { connection: "upgrade", upgrade: "websocket", authorization: header };
  const request = sendRequest({ port, host: "127.0.0.1", headers });
  const [response] = await once(request.end(), "response");
  expect(String(await buffer(response))).toContain("binding_required");
});
