import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { AgentKey, AgentKeyError, type AgentSigner, StoreError } from "@countersign/agent-key";
import { expectRejection, expectThrow, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { AgentIdentityError } from "../src/agent-identity-error.js";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { fixedAuth } from "../src/auth.js";
import { fileStore } from "../src/store/file-store.js";
import { memoryStore } from "../src/store/memory-store.js";
import { openManager } from "./support/manager.js";

/** A key outside of the process: it signs later, and does nothing else. */
function signerOf(key = AgentKey.generate()): AgentSigner {
  return { publicKey: key.publicKey, sign: async (text) => key.sign(text) };
}

/** A key that never signs. */
function hangingSigner(): AgentSigner {
  return { publicKey: AgentKey.generate().publicKey, sign: () => new Promise(() => {}) };
}

const lineOf = ({ publicKey }: AgentSigner) => publicKey.line;

describe("a manager with signers", () => {
  it("is not made with none, or with something else", () => {
    const auth = fixedAuth({ kind: "human", accountId: "a", userId: "u", accessToken: "t" });
    const common = { authority: "https://authority.example", auth, store: memoryStore() };
    const key = AgentKey.generate();
    for (const signers of [
      [],
      key,
      [undefined],
      [{ publicKey: key.publicKey }],
      [{ publicKey: key.publicKey.line, sign: async () => new Uint8Array(64) }],
    ]) {
      const options = { ...common, signers: signers as unknown as readonly AgentSigner[] };
      expectThrow(() => new AgentIdentityManager(options), AgentKeyError, "config_invalid");
    }
  });

  it("registers the first one, and its store keeps the public key and no private key (G-K13)", async () => {
    const path = await openDirectory();
    const signer = signerOf();
    const { manager, authority } = await openManager({
      store: fileStore(path),
      signers: [signer, signerOf()],
    });
    const identity = await manager.ensure();
    expect(authority.agents).toMatchObject([{ publicKey: lineOf(signer), registrations: 1 }]);
    expect(identity?.key.publicKey.line).toBe(lineOf(signer));
    const file = join(path, "credentials.json");
    const { identities } = JSON.parse(await readFile(file, "utf8"));
    expect(identities).toEqual([
      {
        authority: authority.url,
        account_id: "acct-1",
        user_id: "user-1",
        public_key: lineOf(signer),
        idempotency_secret: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
        state: "registered",
        agent_runtime_id: identity?.agentRuntimeId,
        registered_at: expect.any(String),
      },
    ]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("finds its agent without a request, and derives the same secret for it, which nothing prints", async () => {
    const store = memoryStore();
    const signer = signerOf();
    const setup = await openManager({ store, signers: [signer] });
    const first = await setup.manager.ensure();
    const requests = setup.authority.requests.length;
    const other = new AgentIdentityManager({
      authority: setup.authority.url,
      auth: setup.auth,
      store,
      signers: [signerOf(), signer],
    });
    const again = await other.ensure();
    await other.close();
    expect(setup.authority.requests).toHaveLength(requests);
    expect(again?.agentRuntimeId).toBe(first?.agentRuntimeId);
    const secret = first?.key.deriveSecret?.("purpose");
    expect(secret).toHaveLength(32);
    expect(again?.key.deriveSecret?.("purpose")).toEqual(secret);
    expect(again?.key.deriveSecret?.("another")).not.toEqual(secret);
    const { identities } = await store.load();
    const shown = inspect([first, again, identities], { depth: 9, showHidden: true });
    expect(shown).not.toContain(identities[0]?.idempotency_secret);
  });

  it("keeps no secret for a signer that derives its own", async () => {
    const store = memoryStore();
    const key = AgentKey.generate();
    const { manager } = await openManager({ store, signers: [key] });
    expect((await manager.ensure())?.key).toBe(key);
    expect((await store.load()).identities[0]?.idempotency_secret).toBeUndefined();
    expect((await store.load()).identities[0]?.private_key).toBeUndefined();
  });

  it("says which signer is missing, and registers nothing in its place", async () => {
    const store = memoryStore();
    const signer = signerOf();
    const { manager, authority, auth } = await openManager({ store, signers: [signer] });
    await manager.ensure();
    for (const signers of [undefined, [signerOf()]]) {
      const other = new AgentIdentityManager({ authority: authority.url, auth, store, signers });
      for (const call of [() => other.ensure(), () => other.peek(), () => other.look()]) {
        const error = await expectRejection(call(), AgentIdentityError, "config_invalid");
        expect(error.message).toContain(lineOf(signer));
      }
      await other.close();
    }
    expect(authority.agents).toHaveLength(1);
  });

  it("takes an entry with both keys, or with neither, for one that cannot be read", async () => {
    const path = await openDirectory();
    const signer = signerOf();
    const { manager } = await openManager({ store: fileStore(path), signers: [signer] });
    await manager.ensure();
    const file = join(path, "credentials.json");
    const content = JSON.parse(await readFile(file, "utf8"));
    for (const change of [
      { private_key: AgentKey.generate().exportPkcs8() },
      { public_key: undefined },
    ]) {
      const identities = content.identities.map((entry: object) => ({ ...entry, ...change }));
      await writeFile(file, JSON.stringify({ ...content, identities }), { mode: 0o600 });
      await expectRejection(manager.ensure(), StoreError, "store_corrupt");
    }
  });

  it("registers the same key again after the authority knows its agent no longer", async () => {
    const signer = signerOf();
    const { manager, authority } = await openManager({ signers: [signer] });
    const first = await manager.ensure();
    if (first === undefined) throw new Error("no agent");
    authority.forgetAgent(first.agentRuntimeId);
    const second = await manager.replace(first, "unknown_agent");
    expect(second?.agentRuntimeId).not.toBe(first.agentRuntimeId);
    expect(second?.key.publicKey.line).toBe(lineOf(signer));
  });

  it("revokes its agent without a signature", async () => {
    const { manager, authority, human } = await openManager({ signers: [signerOf()] });
    const identity = await manager.ensure();
    const { accessToken } = human("acct-1", "user-1");
    await manager.client.revokeAgent(accessToken, identity?.agentRuntimeId ?? "");
    expect(authority.agents).toMatchObject([{ state: "revoked" }]);
  });
});

describe("a rotation between signers", () => {
  it("needs the next key, another one than the current, and no next key without signers", async () => {
    const signer = signerOf();
    const { manager, authority } = await openManager({ signers: [signer] });
    await manager.ensure();
    for (const next of [undefined, signer, {} as AgentSigner]) {
      const failure = manager.rotate({ next });
      const expected = next === undefined || next === signer ? AgentIdentityError : AgentKeyError;
      await expectRejection(failure, expected, "config_invalid");
    }
    expect(authority.counts.rotateKey).toBe(0);
    const own = await openManager();
    await own.manager.ensure();
    const failure = own.manager.rotate({ next: signerOf() });
    await expectRejection(failure, AgentIdentityError, "config_invalid");
  });

  it("keeps the agent and the secret of its idempotency keys, and stores no private key", async () => {
    const store = memoryStore();
    const [current, next] = [signerOf(), signerOf()];
    const { manager, authority } = await openManager({ store, signers: [current] });
    const before = await manager.ensure();
    const rotation = await manager.rotate({ next });
    expect(rotation?.identity).toMatchObject({ agentRuntimeId: before?.agentRuntimeId });
    expect(rotation?.identity.key.publicKey.line).toBe(lineOf(next));
    expect(authority.agents).toMatchObject([{ publicKey: lineOf(next) }]);
    const derive = (key: AgentSigner | undefined) => key?.deriveSecret?.("purpose");
    expect(derive(rotation?.identity.key)).toEqual(derive(before?.key));
    const [entry] = (await store.load()).identities;
    expect(entry).toMatchObject({
      public_key: lineOf(next),
      former_public_keys: [lineOf(current)],
    });
    expect(JSON.stringify(entry)).not.toMatch(/private_key|next_public_key/);
    expect((await manager.ensure())?.key.publicKey.line).toBe(lineOf(next));
  });

  it("that was cut off is finished by a manager that has both signers, and by no other", async () => {
    const store = memoryStore();
    const [current, next] = [signerOf(), signerOf()];
    const setup = await openManager({ store, signers: [current] });
    const { authority, auth } = setup;
    await setup.manager.ensure();
    authority.fault("rotate_key", { kind: "lose" }, 3);
    await expect(setup.manager.rotate({ next })).rejects.toMatchObject({ code: "unreachable" });
    const common = { authority: authority.url, auth, store };
    const alone = new AgentIdentityManager({ ...common, signers: [current] });
    const failure = alone.rotate({ next: signerOf() });
    const error = await expectRejection(failure, AgentIdentityError, "config_invalid");
    expect(error.message).toContain(lineOf(next));
    await alone.close();
    const both = new AgentIdentityManager({ ...common, signers: [next, current] });
    const refused = await both.ensure();
    if (refused === undefined) throw new Error("no agent");
    expect((await both.finishRotation(refused))?.key.publicKey.line).toBe(lineOf(next));
    await both.close();
    expect(authority.agents).toMatchObject([{ publicKey: lineOf(next) }]);
  });

  it.each([
    ["a key of the store", () => undefined],
    ["another signer", () => signerOf()],
  ])("finishes one to %s that was cut off, and is then done (G-K5)", async (_, firstNext) => {
    const store = memoryStore();
    const signers = firstNext() === undefined ? undefined : [signerOf()];
    const { manager, authority, auth } = await openManager({ store, signers });
    const before = await manager.ensure();
    const [cutOff, next] = [firstNext(), signerOf()];
    authority.fault("rotate_key", { kind: "lose" }, 3);
    await expect(manager.rotate({ next: cutOff })).rejects.toMatchObject({ code: "unreachable" });
    const finished = authority.agents[0]?.publicKey ?? "";
    expect(finished).not.toBe(before?.key.publicKey.line);
    const all = [next, ...(signers ?? []), ...(cutOff === undefined ? [] : [cutOff])];
    const moved = new AgentIdentityManager({
      authority: authority.url,
      auth,
      store,
      signers: all,
    });
    const rotation = await moved.rotate({ next });
    expect(rotation?.identity).toMatchObject({ agentRuntimeId: before?.agentRuntimeId });
    expect(rotation?.identity.key.publicKey.line).toBe(lineOf(next));
    expect(authority.agents).toMatchObject([{ publicKey: lineOf(next) }]);
    const [entry] = (await store.load()).identities;
    expect(entry).toMatchObject({ public_key: lineOf(next) });
    expect(entry?.former_public_keys).toContain(finished);
    expect(JSON.stringify(entry)).not.toMatch(/private_key|next_public_key/);
    expect((await moved.ensure())?.key.publicKey.line).toBe(lineOf(next));
    await moved.close();
  });

  it("finishes none that was cut off for a next key that cannot take over", async () => {
    const store = memoryStore();
    const [current, cutOff] = [signerOf(), signerOf()];
    const { manager, authority } = await openManager({ store, signers: [current] });
    await manager.ensure();
    authority.fault("rotate_key", { kind: "lose" }, 3);
    await expect(manager.rotate({ next: cutOff })).rejects.toMatchObject({ code: "unreachable" });
    await expectRejection(manager.rotate({ next: current }), AgentIdentityError, "config_invalid");
    const own = await openManager();
    await own.manager.ensure();
    own.authority.fault("rotate_key", { kind: "lose" }, 3);
    await expect(own.manager.rotate()).rejects.toMatchObject({ code: "unreachable" });
    const failure = own.manager.rotate({ next: signerOf() });
    await expectRejection(failure, AgentIdentityError, "config_invalid");
    expect([authority.counts.rotateKey, own.authority.counts.rotateKey]).toEqual([3, 3]);
  });

  it("is not begun by a manager without the current key (G-K13)", async () => {
    const store = memoryStore();
    const [current, next] = [signerOf(), signerOf()];
    const { manager, authority, auth } = await openManager({ store, signers: [current] });
    await manager.ensure();
    const before = await store.load();
    for (const signers of [undefined, [next]]) {
      const other = new AgentIdentityManager({ authority: authority.url, auth, store, signers });
      const failure = other.rotate({ compromised: true, next: signers?.[0] });
      const error = await expectRejection(failure, AgentIdentityError, "config_invalid");
      expect(error.message).toContain(lineOf(current));
      await other.close();
      expect(await store.load()).toEqual(before);
    }
    expect(authority.counts.rotateKey).toBe(0);
  });

  it("never sends a private key of the store, and drops it (G-K13)", async () => {
    const store = memoryStore();
    const [current, next] = [signerOf(), signerOf()];
    const { manager, authority } = await openManager({ store, signers: [current] });
    const identity = await manager.ensure();
    if (identity === undefined) throw new Error("no agent");
    const stray = AgentKey.generate().exportPkcs8();
    await store.update((credentials) => ({
      ...credentials,
      identities: credentials.identities.map((entry) => ({
        ...entry,
        next_private_key: stray,
        compromised: true,
      })),
    }));
    expect(await manager.finishRotation(identity)).toBeUndefined();
    expect(authority.counts.rotateKey).toBe(0);
    const rotation = await manager.rotate({ next });
    expect(rotation?.identity.key.publicKey.line).toBe(lineOf(next));
    expect(rotation?.formerKeyEndsAt).not.toBeNull();
    expect(authority.agents).toMatchObject([{ publicKey: lineOf(next) }]);
    expect(JSON.stringify(await store.load())).not.toMatch(/private_key|compromised/);
  });

  it("moves an agent whose private key is in the store to a signer, and signs nothing before (G-K13)", async () => {
    const store = memoryStore();
    const { manager, authority, auth } = await openManager({ store });
    const before = await manager.ensure();
    const next = signerOf();
    const moved = new AgentIdentityManager({
      authority: authority.url,
      auth,
      store,
      signers: [next],
    });
    const refused = await expectRejection(moved.ensure(), AgentIdentityError, "config_invalid");
    expect(refused.hint).toContain("rotate({ next })");
    const rotation = await moved.rotate({ next });
    expect(rotation?.identity.agentRuntimeId).toBe(before?.agentRuntimeId);
    expect((await store.load()).identities[0]?.private_key).toBeUndefined();
    expect((await moved.ensure())?.key.publicKey.line).toBe(lineOf(next));
    await moved.close();
  });

  it("ends with its own deadline while one of the signers hangs", async () => {
    const signer = signerOf();
    const { manager, authority } = await openManager({ signers: [signer], deadlineMs: 400 });
    await manager.ensure();
    const begun = performance.now();
    const failure = manager.rotate({ next: hangingSigner() });
    await expectRejection(failure, AgentKeyError, "signer_failed");
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(authority.counts.rotateKey).toBe(0);
  });
});
