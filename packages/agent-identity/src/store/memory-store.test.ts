import { expect, test } from "vitest";
import { expectRejection } from "../../test/support/expect-rejection.js";
import { CredentialStoreError } from "../credential-store-error.js";
import { memoryStore } from "./memory-store.js";

test("waiting for a lock or a change ends with its caller", async () => {
  const store = memoryStore();
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  for (const waiting of [
    store.withLock("name", async () => {}, { signal }),
    store.update(() => undefined, { signal }),
  ]) {
    const error = await expectRejection(waiting, CredentialStoreError, "cancelled");
    expect(error.cause).toBe(reason);
  }
});
