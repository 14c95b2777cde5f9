import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { createAuthority, openStore, type Registry } from "@countersign/agent-authority";
import type { Scene } from "./interop-client.ts";

/** How many requests of each step an authority received. */
export interface RegistrationCounts {
  readonly biscuits: number;
  readonly agents: number;
  readonly tasks: number;
  /** Of a human's token; the authority answers each with the reason of the refusal before it. */
  readonly refreshes: number;
}

/** The real authority over a real SQLite file, behind a listener that counts what arrives. */
export interface CountedAuthority {
  readonly url: string;
  /** Of its database, as commands take it. */
  readonly database: string;
  readonly registry: Registry;
  counts(): RegistrationCounts;
  /** The next registration of an agent waits for this before it is looked at. */
  holdNextAgent(until: Promise<unknown>): void;
  /** Ends, and leaves a port at which connections are closed at once. */
  goAway(): Promise<void>;
  /** How many connections were tried since then. */
  triedConnections(): number;
}

const AGENT = /^POST (?:\/backend-api)?\/v1\/agent\/register$/;

/** Starts it on a free port of loopback. */
export async function startCountedAuthority(scene: Scene): Promise<CountedAuthority> {
  const database = `sqlite:${join(scene.folder, "authority.db")}`;
  const store = await openStore(database);
  const authority = await createAuthority({ store, generations: ["A", "B", "C"] });
  const received: string[] = [];
  let held: Promise<unknown> | undefined;
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    received.push(line);
    const until = AGENT.test(line) ? held : undefined;
    if (until !== undefined) held = undefined;
    void Promise.resolve(until).then(() => authority.handler(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const end = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  let tried = 0;
  const absence = createTcpServer((socket) => {
    tried += 1;
    socket.destroy();
  });
  scene.onEnd(async () => {
    absence.close();
    await end();
    await authority.close();
    await store.close();
  });
  const { port } = server.address() as AddressInfo;
  const count = (pattern: RegExp) => received.filter((line) => pattern.test(line)).length;
  return {
    url: `http://127.0.0.1:${port}`,
    database,
    registry: authority.registry,
    counts: () => ({
      biscuits: count(/^GET (?:\/backend-api)?\/authenticate_app_v2$/),
      agents: count(AGENT),
      tasks: count(/^POST (?:\/backend-api)?\/v1\/agent\/[^/]+\/task\/register$/),
      refreshes: count(/^POST (?:\/backend-api)?\/codex\/token-refresh$/),
    }),
    holdNextAgent: (until) => {
      held = until;
    },
    async goAway() {
      await end();
      await new Promise<void>((resolve) => absence.listen(port, "127.0.0.1", resolve));
    },
    triedConnections: () => tried,
  };
}
