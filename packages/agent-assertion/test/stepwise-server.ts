import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

const CHUNK = Buffer.alloc(64 * 1024, "x");

/** What is under way between one side that counts up and another that counts down, and the most that ever was. */
export class Flow {
  #now = 0;
  #most = 0;
  #total = 0;

  get most(): number {
    return this.#most;
  }

  get total(): number {
    return this.#total;
  }

  sent(bytes: number): void {
    this.#now += bytes;
    this.#total += bytes;
    this.#most = Math.max(this.#most, this.#now);
  }

  received(bytes: number): void {
    this.#now -= bytes;
  }
}

/** Chunks of 64 KiB, each counted when it is asked for. */
export async function* chunks(flow: Flow, bytes: number): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    flow.sent(CHUNK.length);
    yield CHUNK;
  }
}

/** Lets sockets go on. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * A server that works in steps: at `/events` it sends one event for each step it is told; at `/download` it sends bytes as fast as they are
 * taken; at `/upload` it takes bytes slowly, and answers with how many.
 */
export async function startStepwiseServer(flow: Flow, bytes: number) {
  const steps: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  const step = () => {
    const next = waiting.shift();
    if (next === undefined) steps.push(() => {});
    else next();
  };
  const nextStep = () =>
    new Promise<void>((resolve) => {
      if (steps.shift() === undefined) waiting.push(resolve);
      else resolve();
    });
  const server = createServer(async (request, response) => {
    if (request.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let i = 0; i < 3; i += 1) {
        await nextStep();
        response.write(`data: ${i}\n\n`);
      }
      response.end();
      return;
    }
    if (request.url === "/download") {
      for await (const chunk of chunks(flow, bytes)) {
        if (!response.write(chunk)) await once(response, "drain");
      }
      response.end();
      return;
    }
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      flow.received(chunk.length);
      await turn();
    }
    response.end(String(size));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, step };
}
