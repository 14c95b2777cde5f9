import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { memoryReplayStore, type NonceEntry } from "./replay-store.js";

const START = 1_000_000;
const entry: NonceEntry = {
  authority: "https://authority.example",
  agentRuntimeId: "agent-1",
  nonce: "AAECAwQFBgcICQoLDA0ODw",
  expiresAt: START + 300_000,
};

function setUp(maxEntries?: number) {
  const clock = { now: START };
  return { clock, store: memoryReplayStore({ maxEntries, now: () => clock.now }) };
}

describe("memoryReplayStore", () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses room for %d nonces",
    async (maxEntries) => {
      await expectFailure(() => memoryReplayStore({ maxEntries }), "config_invalid");
    },
  );

  test("never forgets a live nonce for a new one: while it is full it refuses (G-B3)", async () => {
    const { store, clock } = setUp(3);
    const entries = [0, 1, 2].map((i) => ({
      ...entry,
      nonce: `nonce-${i}`,
      expiresAt: START + 1000 * i,
    }));
    for (const one of entries) expect(await store.spend(one)).toBe(true);
    const failure = await expectFailure(() => store.spend(entry), "server_error");
    expect(failure.retryable).toBe(true);
    for (const one of entries) expect(await store.spend(one)).toBe(false);

    // The first one's end is past by a millisecond: its place is free, the others are kept.
    clock.now = START + 1;
    expect(await store.spend(entry)).toBe(true);
    for (const one of entries) expect(await store.spend(one)).toBe(false);
    await expectFailure(() => store.spend({ ...entry, nonce: "one more" }), "server_error");
  });

  test("spends no nonce again that it forgot before the clock was set back (G-B2)", async () => {
    const { store, clock } = setUp();
    expect(await store.spend(entry)).toBe(true);
    clock.now = entry.expiresAt + 1000;
    const later = { ...entry, nonce: "later", expiresAt: clock.now + 300_000 };
    expect(await store.spend(later)).toBe(true);
    clock.now = START;
    expect(await store.spend(entry)).toBe(false);
    expect(await store.spend({ ...later, nonce: "another" })).toBe(true);
  });

  test("answers as a list of all that was ever spent would, whatever the clock does", async () => {
    const step = fc.record({
      nonce: fc.integer({ min: 0, max: 5 }),
      life: fc.integer({ min: -2000, max: 5000 }),
      advance: fc.integer({ min: -500, max: 3000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { store, clock } = setUp();
        const ends = new Map<number, number>();
        let latest = START;
        for (const { nonce, life, advance } of steps) {
          clock.now += advance;
          latest = Math.max(latest, clock.now);
          const expiresAt = clock.now + life;
          const first = await store.spend({ ...entry, nonce: String(nonce), expiresAt });
          const isKept = (ends.get(nonce) ?? Number.NEGATIVE_INFINITY) >= latest;
          if (life < 0 || isKept) expect(first).toBe(false);
          if (first) ends.set(nonce, expiresAt);
        }
      }),
    );
  });
});
