import { context, createContextKey, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { AuthorityStore } from "../store/authority-store.js";
import { noteOwnUse } from "./note-own-use.js";
import { runLater } from "./run-later.js";

afterEach(() => void vi.useRealTimers());

describe("what is done later", () => {
  it("is done once for all that asked, never twice at the same time, and once more for what asked since", async () => {
    vi.useFakeTimers();
    let held = Promise.withResolvers<void>();
    const work = vi.fn(() => held.promise);
    const ask = runLater(work, 100);
    for (let i = 0; i < 3; i += 1) ask();
    await vi.advanceTimersByTimeAsync(99);
    expect(work).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(work).toHaveBeenCalledTimes(1);
    ask();
    ask();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(work).toHaveBeenCalledTimes(1);
    held.resolve();
    held = Promise.withResolvers();
    await vi.advanceTimersByTimeAsync(100);
    expect(work).toHaveBeenCalledTimes(2);
    held.resolve();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it("is in the trace of none that asked", async () => {
    const provider = new NodeTracerProvider();
    provider.register();
    onTestFinished(async () => {
      for (const api of [trace, context, propagation]) api.disable();
      await provider.shutdown();
    });
    const key = createContextKey("asked");
    const seen = Promise.withResolvers<unknown>();
    const ask = runLater(async () => seen.resolve(context.active().getValue(key)), 0);
    context.with(ROOT_CONTEXT.setValue(key, "by a request"), () => {
      expect(context.active().getValue(key)).toBe("by a request");
      ask();
    });
    expect(await seen.promise).toBeUndefined();
  });
});

it("uses that were seen on the database wait for those before, and take one connection of it", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const held = Promise.withResolvers<void>();
  const transaction = vi.fn(() => held.promise);
  const store = { now: () => 0, transaction } as unknown as AuthorityStore;
  for (let i = 1; i <= 5; i += 1) {
    noteOwnUse(store, `agent_${i}`, `task_${i}`);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(transaction).toHaveBeenCalledTimes(1);
  }
  held.resolve();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(transaction).toHaveBeenCalledTimes(2);
});
