import { StoreError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, test, vi } from "vitest";
import { loadSystemKeyring } from "./keyring-entry.js";

test.each([
  ["is not installed", Object.assign(new Error("none"), { code: "ERR_MODULE_NOT_FOUND" })],
  ["does not load here", new Error("another processor")],
])("a package that %s is store_denied, and the cause is kept", async (says, cause) => {
  const loading = loadSystemKeyring(() => Promise.reject(cause));
  const error = await expectRejection(loading, StoreError, "store_denied");
  expect(error.message).toContain(says);
  expect(error.cause).toBe(cause);
});

test("an entry is opened in the Secret Service: the kernel's keyring forgets at the next start", async () => {
  const AsyncEntry = vi.fn(class {});
  const open = await loadSystemKeyring(async () => ({ AsyncEntry }) as never);
  open("service", "account");
  const options = { linux: { store: "secret-service" } };
  expect(AsyncEntry.mock.calls).toEqual([["service", "account", options]]);
});
