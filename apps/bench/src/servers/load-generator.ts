/**
 * The process that sends requests. As the product's clients do, it repeats a request that is answered 503 once `Retry-After` is over: the time of
 * the request goes on until then.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type RawAnswer, RawConnection } from "./raw-connection.ts";

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
  const pool = pools.get(url) ?? [];
  pools.set(url, pool);
  await openMissing(pool, connections, url);
  const latenciesMs: number[] = [];
  let sent = 0;
  let turnedAway = 0;

  async function exchange(place: number, request: string, isFirst: boolean): Promise<RawAnswer> {
    const connection = pool[place];
    try {
      if (connection?.isOpen === true) return await connection.exchange(request);
    } catch (error) {
      // The server may end an idle connection while the first request on it is under way.
      if (!isFirst) throw error;
    }
    const fresh = await RawConnection.open(url);
    pool[place] = fresh;
    return await fresh.exchange(request);
  }

  async function answered(place: number, request: string, isFirst: boolean): Promise<void> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const answer = await exchange(place, request, isFirst && attempt === 1);
      if (answer.status >= 200 && answer.status <= 299) return;
      if (answer.status !== 503) throw new Error(`${url} answered ${answer.status}`);
      turnedAway += 1;
      await sleep(answer.retryAfterSeconds * 1_000);
    }
    throw new Error(`${url} answered 503 to ${MAX_ATTEMPTS} attempts`);
  }

  const startedAt = performance.now();
  async function work(place: number): Promise<void> {
    for (let isFirst = true; sent < count; isFirst = false) {
      const request = requests[sent % requests.length] ?? "";
      sent += 1;
      const sentAt = performance.now();
      await answered(place, request, isFirst);
      latenciesMs.push(performance.now() - sentAt);
    }
  }
  await Promise.all(Array.from({ length: connections }, (_, place) => work(place)));
  return { wallMs: performance.now() - startedAt, latenciesMs, turnedAway };
}

/** Opens so many connections, but those that the server has left open. */
async function openMissing(pool: RawConnection[], count: number, url: string): Promise<void> {
  for (let place = 0; place < count; place += 1) {
    if (pool[place]?.isOpen !== true) pool[place] = await RawConnection.open(url);
  }
}
