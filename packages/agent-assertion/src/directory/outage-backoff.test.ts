import { FakeClock } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { OutageBackoff } from "./outage-backoff.js";

function setUp(maxDelayMs = 15_000) {
  const clock = new FakeClock();
  const backoff = new OutageBackoff(maxDelayMs);
  return { clock, backoff, admits: () => backoff.admits(clock.now()) };
}

describe("OutageBackoff", () => {
  test("holds back nothing while the authority answers", () => {
    const { admits } = setUp();
    expect(admits() && admits()).toBe(true);
  });

  test("lets one question through after each delay, which is as long as the outage up to its limit", () => {
    const { clock, backoff, admits } = setUp();
    const asked: number[] = [];
    const start = clock.now();
    backoff.failed(start);
    for (let i = 0; i < 600; i += 1) {
      clock.advance(100);
      if (!admits()) continue;
      asked.push(clock.now() - start);
      expect(admits()).toBe(false);
      backoff.failed(clock.now());
    }
    expect(asked).toEqual([1000, 2000, 4000, 8000, 16_000, 31_000, 46_000]);
  });

  test("counts from the failure, not from the question", () => {
    const { clock, backoff, admits } = setUp();
    backoff.failed(clock.now());
    clock.advance(1000);
    expect(admits()).toBe(true);
    clock.advance(900);
    backoff.failed(clock.now());
    clock.advance(1800);
    expect(admits()).toBe(false);
    clock.advance(100);
    expect(admits()).toBe(true);
  });

  test("ends with the first answer", () => {
    const { clock, backoff, admits } = setUp();
    backoff.failed(clock.now());
    backoff.answered();
    expect(admits()).toBe(true);
    clock.advance(60_000);
    backoff.failed(clock.now());
    clock.advance(1000);
    expect(admits()).toBe(true);
  });

  test("holds back nothing with a limit of 0", () => {
    const { clock, backoff, admits } = setUp(0);
    backoff.failed(clock.now());
    expect(admits() && admits()).toBe(true);
  });

  test("holds back no longer because the clock was set back", () => {
    const { clock, backoff, admits } = setUp();
    backoff.failed(clock.now());
    clock.advance(-60_000);
    expect(admits()).toBe(true);
  });
});
