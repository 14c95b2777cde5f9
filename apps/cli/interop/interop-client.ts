import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Checks } from "./checks.ts";

/** What a client's run has to itself. */
export interface Scene {
  /** A temporary folder. */
  readonly folder: string;
  /** Does this when the run is over, the last one first, whatever happened; then the folder goes. */
  onEnd(end: () => Promise<void>): void;
}

/** A client that others made, and what must be seen when it is used. */
export interface InteropClient {
  /** Begins each line of its checks. */
  readonly name: string;
  /** Why it cannot run on this machine; `undefined`: it can. */
  readonly whyNot?: () => string | undefined;
  readonly run: (checks: Checks, scene: Scene) => Promise<void>;
}

/** How many checks held, failed, and how many clients were left out. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// Clients mostly wait, for one another's programs and for their own repeated attempts. More at once than this delay each other.
const AT_ONCE = 4;

/** Runs clients side by side, a few at a time, each in a scene of its own. */
export async function runClients(clients: readonly InteropClient[]): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  const left = clients.values();
  const runNext = async () => {
    for (const client of left) outcomes.push(await runClient(client));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runNext));
  const sum = (count: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  return {
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    skipped: sum(({ skipped }) => skipped),
  };
}

/** Says why a client does not run. */
export function skip(client: InteropClient, reason: string): Outcome {
  console.log(`SKIPPED ${client.name}: ${reason}`);
  return { passed: 0, failed: 0, skipped: 1 };
}

async function runClient(client: InteropClient): Promise<Outcome> {
  const reason = client.whyNot?.();
  if (reason !== undefined) return skip(client, reason);
  const checks = new Checks(client.name);
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "countersign-interop-"));
  const ends: (() => Promise<void>)[] = [];
  try {
    await client.run(checks, { folder, onEnd: (end) => void ends.push(end) });
  } catch (error) {
    checks.fail("it came to its end", error instanceof Error ? (error.stack ?? "") : String(error));
  } finally {
    for (const end of ends.reverse()) await end();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    checks.say(`done after ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  return { passed: checks.passed, failed: checks.failed, skipped: 0 };
}
