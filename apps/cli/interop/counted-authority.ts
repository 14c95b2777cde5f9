import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthority, openStore, type Registry } from "@countersign/agent-authority";

/** How many requests of each step an authority received. */
export interface RegistrationCounts {
  readonly biscuits: number;
  readonly agents: number;
  readonly tasks: number;
}

/** The real authority over a real SQLite file, behind a listener that counts what arrives. */
export interface CountedAuthority {
  readonly url: string;
  readonly registry: Registry;
  counts(): RegistrationCounts;
  close(): Promise<void>;
}

/** Starts it on a free port of loopback. */
export async function startCountedAuthority(databaseFile: string): Promise<CountedAuthority> {
  const store = await openStore(`sqlite:${databaseFile}`);
  const authority = await createAuthority({ store });
  const received: string[] = [];
  const server = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`);
    authority.handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const count = (pattern: RegExp) => received.filter((line) => pattern.test(line)).length;
  return {
    url: `http://127.0.0.1:${port}`,
    registry: authority.registry,
    counts: () => ({
      biscuits: count(/^GET \/backend-api\/authenticate_app_v2$/),
      agents: count(/^POST \/backend-api\/v1\/agent\/register$/),
      tasks: count(/^POST \/backend-api\/v1\/agent\/[^/]+\/task\/register$/),
    }),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await authority.close();
      await store.close();
    },
  };
}
