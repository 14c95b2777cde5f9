import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { LoadGenerator, requestText } from "../src/servers/load-client.ts";

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    closeIdle: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("the load generator", () => {
  test("refuses an answer that is neither 2xx nor 503", async () => {
    await using server = await serve((_, response) => response.writeHead(401).end());
    await using generator = new LoadGenerator();
    const requests = [requestText(server.url, "/", {}, "x")];
    const load = { url: server.url, requests, count: 1, connections: 1 };
    await expect(generator.send(load)).rejects.toThrow("answered 401");
  });

  test("sends each request in turn, and one that is answered 503 again", async () => {
    const bodies: string[] = [];
    await using server = await serve(async (request, response) => {
      bodies.push(String(await request.setEncoding("utf8").toArray()));
      if (bodies.length === 1) response.writeHead(503, { "retry-after": "0" });
      response.end(bodies.length % 2 === 0 ? "of known length" : undefined);
    });
    await using generator = new LoadGenerator();
    const requests = ["a", "b"].map((body) => requestText(server.url, "/", {}, body));
    const load = { url: server.url, requests, count: 4, connections: 1 };
    const { latenciesMs, turnedAway } = await generator.send(load);
    expect(bodies).toEqual(["a", "a", "b", "a", "b"]);
    expect([latenciesMs.length, turnedAway]).toEqual([4, 1]);
  });

  test("reads answers in chunks", async () => {
    await using server = await serve((_, response) => {
      response.write("one");
      response.end("two");
    });
    await using generator = new LoadGenerator();
    const requests = [requestText(server.url, "/", {}, "x")];
    const load = { url: server.url, requests, count: 6, connections: 2 };
    expect((await generator.send(load)).latenciesMs).toHaveLength(6);
  });

  test("opens a connection again that the server closed between two loads", async () => {
    await using server = await serve((_, response) => response.end("yes"));
    await using generator = new LoadGenerator();
    const requests = [requestText(server.url, "/", {}, "x")];
    const load = { url: server.url, requests, count: 2, connections: 2 };
    await generator.send(load);
    server.closeIdle();
    expect((await generator.send(load)).latenciesMs).toHaveLength(2);
  });
});
