/**
 * The process that sends requests. As the product's clients do, it repeats a request that is answered 503 once `Retry-After` is over: the time of
 * the request goes on until then.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { RawConnection } from "./raw-connection.ts";

/** What a generator is asked to send: so many requests in all, over so many connections, the texts in turn. */
export interface Load {
  readonly url: string;
  readonly requests: readonly string[];
  readonly count: number;
  readonly connections: number;
}

/** What came of a {@link Load}. */
export interface Loaded {
  readonly wallMs: number;
  /** Of each request, in the order of the answers. */
  readonly latenciesMs: readonly number[];
  /** How many answers were 503. */
  readonly turnedAway: number;
}

/** What the process answers. */
export type LoadMessage = { readonly loaded: Loaded } | { readonly error: string };

const MAX_ATTEMPTS = 20;
const pools = new Map<string, RawConnection[]>();

process.on("message", (load: Load) => {
  const say = (message: LoadMessage) => void process.send?.(message);
  run(load).then(
    (loaded) => say({ loaded }),
    (error: unknown) => say({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());

async function run({ url, requests, count, connections }: Load): Promise<Loaded> {
  const pool = await connect(url, connections);
  const latenciesMs: number[] = [];
  let sent = 0;
  let turnedAway = 0;

  async function answered(connection: RawConnection, request: string): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const { status, retryAfterSeconds } = await connection.exchange(request);
      if (status >= 200 && status <= 299) return;
      if (status !== 503) throw new Error(`${url} answered ${status}`);
      turnedAway += 1;
      await sleep(retryAfterSeconds * 1_000);
    }
    throw new Error(`${url} answered 503 to ${MAX_ATTEMPTS} attempts`);
  }

  const startedAt = performance.now();
  async function work(connection: RawConnection): Promise<void> {
    while (sent < count) {
      const request = requests[sent % requests.length] ?? "";
      sent += 1;
      const sentAt = performance.now();
      await answered(connection, request);
      latenciesMs.push(performance.now() - sentAt);
    }
  }
  await Promise.all(pool.map(work));
  return { wallMs: performance.now() - startedAt, latenciesMs, turnedAway };
}

/** Opens what is missing. A server closes a connection that was idle for a while. */
async function connect(url: string, connections: number): Promise<readonly RawConnection[]> {
  const pool = (pools.get(url) ?? []).filter((connection) => connection.isOpen);
  pools.set(url, pool);
  while (pool.length < connections) pool.push(await RawConnection.open(url));
  return pool.slice(0, connections);
}
