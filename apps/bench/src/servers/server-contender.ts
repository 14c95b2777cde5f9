import type { Contender } from "../harness/row.ts";
import type { LoadGenerator } from "./load-client.ts";
import type { ServerProcess } from "./server-process.ts";

/** A server under load. */
export interface ServerLoad {
  readonly server: ServerProcess;
  readonly generator: LoadGenerator;
  readonly connections: number;
  /** Gives so many requests. Fewer are sent again in turn. */
  readonly requests: (count: number) => readonly string[];
}

// Each connection gets a few requests in a slice, so that its begin and end weigh little.
const LEAST_OF_CONNECTION = 2;

/** A contender that is a server in a process of its own. Its CPU time is that of the server, its wall time that of the whole load. */
export function serverContender({
  server,
  generator,
  connections,
  requests,
}: ServerLoad): Contender {
  return {
    atLeast: connections * LEAST_OF_CONNECTION,
    async run(count) {
      const { url } = server;
      await generator.send({ url, requests: requests(count), count, connections });
      return undefined;
    },
    cpuMicroseconds: async () => (await server.usage()).cpuMicros,
  };
}

/** Sends requests until a server's code is compiled and its caches are filled. */
export async function warm(load: ServerLoad, count: number): Promise<void> {
  const { server, generator, connections, requests } = load;
  const { url } = server;
  await generator.send({ url, requests: requests(count), count, connections });
}
