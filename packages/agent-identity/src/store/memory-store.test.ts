import { StoreError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { memoryStore } from "./memory-store.js";

test("waiting for a lock or a change ends with its caller", async () => {
  const store = memoryStore();
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  for (const waiting of [
    store.withLock("name", async () => {}, { signal }),
    store.update(() => undefined, { signal }),
  ]) {
    const error = await expectRejection(waiting, StoreError, "cancelled");
    expect(error.cause).toBe(reason);
  }
});
