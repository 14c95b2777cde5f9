import { once } from "node:events";
import { Agent, createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { byEffort } from "@countersign/testing/effort";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { FRONTS, type FrontedGateway, hasFront, startFront } from "./proxied/start-front.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

const REQUESTS = byEffort(10_000, 2_000);
const CLIENTS = 16;
const OPEN = 4;
const GOING_AWAY = 1001;

/** An API that answers, streams until it is told to end, and opens WebSockets. */
async function startApi() {
  const streams: ServerResponse[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer(async (request, response) => {
    if (request.url === "/stream") {
      streams.push(response);
      response.write("begin,");
      return;
    }
    // Which gateway it came through.
    response.setHeader("x-instance", String(request.headers["x-instance"]));
    response.setHeader("x-seen-id", String(request.headers["x-request-id"]));
    response.end(await text(request));
  });
  server.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (opened) => opened.send("open")),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { streams, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A gateway that can be started again where it was. */
class Instance {
  readonly name: string;
  readonly #world: ServerWorld;
  readonly #args: readonly string[];
  #server: StartedServer | undefined;
  #places: readonly string[] = ["127.0.0.1:0", "127.0.0.1:0"];

  constructor(name: string, world: ServerWorld, args: readonly string[]) {
    this.name = name;
    this.#world = world;
    this.#args = args;
  }

  async start(): Promise<FrontedGateway> {
    const [listen = "", operationsListen = ""] = this.#places;
    const where = ["--listen", listen, "--operations-listen", operationsListen];
    const header = ["--upstream-header", "X-Instance: env:INSTANCE"];
    const args = ["gateway", ...where, ...header, ...this.#args];
    this.#server = await this.#world.start(args, { INSTANCE: this.name });
    const { process, url } = this.#server;
    const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
    this.#places = [new URL(url).host, new URL(operations).host];
    const [port = 0, operationsPort = 0] = this.#places.map((host) => Number(host.split(":")[1]));
    return { port, operationsPort };
  }

  /** Asks it to end. */
  end(): void {
    this.#server?.process.kill("SIGTERM");
  }

  /** @returns its exit code */
  async ended(): Promise<number | null> {
    return (await this.#server?.process.exited)?.code ?? null;
  }
}

describe.each(FRONTS.filter(hasFront))("behind %s", (kind) => {
  async function openFleet() {
    const world = await serverWorld();
    const authority = await world.serve();
    await world.logIn(authority.url);
    const api = await startApi();
    const args = [
      ...["--upstream", api.url, "--authority", authority.url, "--trusted-proxy", "127.0.0.1"],
      ...["--drain-delay", "3s", "--drain-timeout", "5s"],
    ];
    const instances = [new Instance("a", world, args), new Instance("b", world, args)] as const;
    const fronted = [await instances[0].start(), await instances[1].start()] as const;
    const { socketPath, log } = await startFront(kind, world.folder.path, fronted);
    const header = await output(["header"], { home: world.home, env: FEATURE_ON });
    const authorization = header.trim().replace("Authorization: ", "");
    const headers = { host: "gateway.example", authorization };
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
    onTestFinished(() => agent.destroy());

    /** Of the last answers, through which gateways they came. */
    const seen = new Set<string>();
    /** Sends one request. @returns status and body, or what went wrong */
    const send = async (path: string, body?: string): Promise<string> => {
      try {
        const method = body === undefined ? "GET" : "POST";
        const request = httpRequest({ socketPath, agent, path, method, headers });
        request.end(body);
        const [response] = await once(request, "response");
        seen.add(String(response.headers["x-instance"]));
        return `${response.statusCode} ${await text(response)}`;
      } catch (error) {
        return String(error);
      }
    };
    return { api, instances, seen, send, socketPath, log, headers };
  }

  test(`a restart of two gateways, one after the other, loses none of ${REQUESTS} requests (G-G21)`, async () => {
    const { instances, seen, send } = await openFleet();
    const failed: string[] = [];
    let sent = 0;
    let isRestarted = false;
    const client = async () => {
      while (!isRestarted || sent < REQUESTS) {
        sent += 1;
        const body = sent % 2 === 0 ? `body ${sent}` : undefined;
        const answer = await send("/v1", body);
        if (answer !== `200 ${body ?? ""}`) failed.push(answer);
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    for (const instance of instances) {
      instance.end();
      expect(await instance.ended()).toBe(0);
      await instance.start();
      seen.clear();
      // The next one waits until the proxy in front uses this one again.
      await expect.poll(() => seen.has(instance.name)).toBe(true);
    }
    isRestarted = true;
    await Promise.all(clients);
    expect(failed).toEqual([]);
  });

  test("a request has the id of its log at the upstream, whatever id a client sends (G-G19)", async () => {
    const { socketPath, log, headers } = await openFleet();
    const named = { ...headers, "x-request-id": "of-the-client" };
    const request = httpRequest({ socketPath, path: "/v1?key=s3cr3t", headers: named }).end();
    const [response] = await once(request, "response");
    response.resume();
    expect(response.statusCode).toBe(200);
    const id = String(response.headers["x-seen-id"]);
    expect(id).toMatch(/^[\da-f-]{32,36}$/);
    await expect.poll(log).toContain(`id=${id}`);
    expect(log()).not.toMatch(/of-the-client|s3cr3t/);
  });

  test("streams end whole by themselves, and WebSockets at the deadline with a word", async () => {
    const { api, instances, send, socketPath, headers } = await openFleet();
    const streams = Array.from({ length: OPEN }, () => send("/stream"));
    const sockets = Array.from(
      { length: OPEN },
      () => new WebSocket(`ws+unix:${socketPath}:/v1`, { headers }),
    );
    const closed = sockets.map((socket) => once(socket, "close"));
    await Promise.all(sockets.map((socket) => once(socket, "message")));
    await expect.poll(() => api.streams).toHaveLength(OPEN);
    for (const instance of instances) instance.end();
    // Neither takes a request any more, and what is open goes on.
    await expect.poll(() => send("/v1")).not.toMatch(/^200/);
    for (const stream of api.streams) stream.end("end");
    expect(await Promise.all(streams)).toEqual(Array(OPEN).fill("200 begin,end"));
    const codes = (await Promise.all(closed)).map(([code]) => code);
    expect(codes).toEqual(Array(OPEN).fill(GOING_AWAY));
    for (const instance of instances) expect(await instance.ended()).toBe(0);
  });
});
