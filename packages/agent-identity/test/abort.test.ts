import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expectRejection, openGate } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { AuthorityError } from "../src/authority-error.js";
import { AuthorityClient } from "../src/client/authority-client.js";
import { memoryStore } from "../src/store/memory-store.js";
import { onceAtStep } from "./support/identity-steps.js";
import { openManager } from "./support/manager.js";

/** Each case gets the registration to a step and aborts there; `requests` are those sent until then, and none comes after. */
describe("an abort ends the waiting, with its reason,", () => {
  test("before anything was asked for", async () => {
    const { manager, authority, store } = await openManager();
    const reason = new Error("enough");
    const ensuring = manager.ensure({ signal: AbortSignal.abort(reason) });
    await expect(ensuring).rejects.toBe(reason);
    expect(authority.requests).toEqual([]);
    expect((await store.load()).identities).toEqual([]);
  });

  test("while another process registers", async () => {
    const { manager, authority, store } = await openManager();
    const gate = openGate();
    const name = `agent-registration ${JSON.stringify([authority.url, "acct-1", "user-1"])}`;
    const held = store.withLock(name, () => gate.opened);
    const abort = new AbortController();
    const ensuring = manager.ensure({ signal: abort.signal });
    abort.abort();
    expect(await ensuring.catch((error: unknown) => error)).toBe(abort.signal.reason);
    gate.open();
    await held;
    expect(authority.requests).toEqual([]);
  });

  test("while the store is locked", async () => {
    const store = memoryStore();
    const { manager, authority } = await openManager({
      store: {
        ...store,
        update: (_, { signal } = {}) =>
          new Promise((__, reject) => {
            signal?.addEventListener("abort", () => reject(signal.reason));
          }),
      },
    });
    const abort = new AbortController();
    onceAtStep(authority.url, "registering", () => abort.abort());
    const ensuring = manager.ensure({ signal: abort.signal });
    expect(await ensuring.catch((error: unknown) => error)).toBe(abort.signal.reason);
    expect(authority.requests).toEqual([]);
  });

  test.each(["key_stored", "requesting"] as const)(
    "at the step %s, and no request is sent",
    async (step) => {
      const { manager, authority } = await openManager();
      const abort = new AbortController();
      onceAtStep(authority.url, step, () => abort.abort());
      const ensuring = manager.ensure({ signal: abort.signal });
      expect(await ensuring.catch((error: unknown) => error)).toBe(abort.signal.reason);
      await manager.close();
      expect(authority.requests).toEqual([]);
    },
  );

  test.each(["biscuit", "register_agent"] as const)(
    "while the answer to %s does not come",
    async (step) => {
      const { manager, authority, auth, human } = await openManager();
      auth.set({ ...human("acct-1", "user-1"), proof: "biscuit" });
      authority.fault(step, { kind: "hang" });
      const abort = new AbortController();
      const ensuring = manager.ensure({ signal: abort.signal });
      await expect.poll(() => authority.requests.at(-1)?.step).toBe(step);
      abort.abort();
      expect(await ensuring.catch((error: unknown) => error)).toBe(abort.signal.reason);
      await manager.close();
      expect(authority.requests).toHaveLength(step === "biscuit" ? 1 : 2);
    },
  );

  test("while the body of an answer does not end", async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"account_id":');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.closeAllConnections());
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const client = new AuthorityClient({ authority: `http://127.0.0.1:${port}` });
    const abort = new AbortController();
    server.on("request", () => setImmediate(() => abort.abort()));
    const call = client.whoami("token-1", { signal: abort.signal });
    await expectRejection(call, AuthorityError, "cancelled");
    expect(client.requestCount).toBe(1);
  });

  test("while it pauses before the next attempt", async () => {
    const abort = new AbortController();
    const { manager, authority } = await openManager();
    const client = new AuthorityClient({
      authority: authority.url,
      onRetry: () => abort.abort(),
    });
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    const headers = { "retry-after": "20" };
    authority.fault("whoami", { kind: "status", status: 503, headers }, Number.POSITIVE_INFINITY);
    const call = client.whoami(token, { signal: abort.signal });
    await expectRejection(call, AuthorityError, "cancelled");
    expect(client.requestCount).toBe(1);
    await manager.close();
  });

  test.each(["answered", "registered"] as const)(
    "at the step %s, and what was registered is kept",
    async (step) => {
      const { manager, authority } = await openManager();
      const abort = new AbortController();
      onceAtStep(authority.url, step, () => abort.abort());
      const ensuring = manager.ensure({ signal: abort.signal });
      expect(await ensuring.catch((error: unknown) => error)).toBe(abort.signal.reason);
      await expect.poll(() => manager.peek()).toMatchObject({ agentRuntimeId: "agent_1" });
      expect(authority.requests).toHaveLength(1);
    },
  );
});
