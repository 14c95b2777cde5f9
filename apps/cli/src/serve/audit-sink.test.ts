import { afterEach, expect, test, vi } from "vitest";
import { AuditSink } from "./audit-sink.js";

const MIB = 1024 * 1024;
const STALLED_MS = 10_000;

afterEach(() => {
  vi.useRealTimers();
});

/** A sink whose reader takes nothing until it is told to. */
function stalledSink() {
  const reads = Promise.withResolvers<void>();
  const ignore = () => {};
  const sink = new AuditSink(
    {
      isPrompt: false,
      follow: async () => false,
      async write(bytes) {
        await reads.promise;
        return bytes.length;
      },
      close: async () => {},
    },
    { onFailure: ignore, onLoss: ignore, onRecovery: ignore, onAbandoned: ignore },
  );
  return { sink, read: reads.resolve };
}

test("lines count as not written before one is lost, however fast they come (G-G17)", async () => {
  const { sink, read } = stalledSink();
  const text = "x".repeat(MIB);
  for (let line = 0; line < 7; line += 1) sink.append({ text });
  expect(sink.isWritten).toBe(true);
  sink.append({ text });
  expect(sink.isWritten).toBe(false);
  for (let line = 0; line < 7; line += 1) sink.append({ text });
  expect(sink.state).toMatchObject({ lost: 0, waiting: 15 });
  read();
  await expect.poll(() => sink.isWritten).toBe(true);
  await sink.close(1_000);
});

test("a line that waits counts as not written whatever the clock of the machine does", async () => {
  vi.useFakeTimers();
  const { sink, read } = stalledSink();
  sink.append({ status: 200 });
  vi.setSystemTime(Date.now() + 2 * STALLED_MS);
  expect(sink.isWritten).toBe(true);
  vi.setSystemTime(Date.now() - 10 * STALLED_MS);
  vi.advanceTimersByTime(STALLED_MS);
  expect(sink.isWritten).toBe(false);
  vi.useRealTimers();
  read();
  await sink.close(1_000);
  expect(sink.state.lost).toBe(0);
});
