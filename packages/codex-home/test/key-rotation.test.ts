import { AuthorityError, publicLineOf, withFormerKey } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { openCodexAgent, privateKeyOf } from "./support/codex-home.js";

test("the key on its way is kept beside auth.json, the new one in it", async () => {
  const { authority, manager, store, value, beside } = await openCodexAgent();
  const identity = await manager.ensure();
  authority.fault("rotate_key", { kind: "lose" }, 3);
  await expectRejection(manager.rotate(), AuthorityError, "unreachable");
  const before = (await value()).agent_identity;
  expect(before).not.toHaveProperty("next_private_key");
  expect((await beside()).identities[0].next_private_key).toEqual(expect.any(String));
  expect(await manager.ensure()).toBe(identity);
  const rotation = await manager.rotate();
  const after = (await value()).agent_identity;
  expect(Object.keys(after)).toEqual(Object.keys(before));
  expect(after.agent_private_key).toBe(privateKeyOf(rotation?.identity));
  expect((await store.load()).identities).toHaveLength(1);
});

test("a key that may be newer is not overwritten, whatever auth.json says of the keys before it", async () => {
  const { manager, store, value, write } = await openCodexAgent();
  const identity = await manager.ensure();
  const before = await value();
  const agent_private_key = AgentKey.generate().exportPkcs8();
  const former_public_keys = [identity?.key.publicKey.line];
  const agent_identity = { ...before.agent_identity, agent_private_key, former_public_keys };
  await write({ ...before, agent_identity });
  expect(await manager.ensure()).toBe(identity);
  await store.update((current) => current);
  await manager.rotate();
  expect((await value()).agent_identity).toEqual(agent_identity);
  // Known to have been replaced by the one kept here, it makes room.
  await store.update((current) => ({
    ...current,
    identities: current.identities.map((entry) =>
      withFormerKey(entry, publicLineOf({ private_key: agent_private_key }) ?? ""),
    ),
  }));
  expect((await value()).agent_identity).toMatchObject({
    agent_private_key: privateKeyOf(await manager.ensure()),
  });
});

test("what is known of an agent here alone is not written into auth.json, and stays beside it", async () => {
  const { manager, store, value, beside } = await openCodexAgent();
  await manager.ensure();
  const before = (await value()).agent_identity;
  const known = {
    former_public_keys: ["ssh-ed25519 x"],
    codex_homes: ["/codex"],
    revoked: true,
    ephemeral: true,
  };
  await store.update((current) => ({
    ...current,
    identities: current.identities.map((entry) => ({ ...entry, ...known })),
  }));
  await store.update((current) => ({ ...current, note: 1 }));
  expect((await value()).agent_identity).toEqual(before);
  expect((await beside()).identities).toMatchObject([known]);
});

test("members of auth.json that are kept beside it alone are not believed, and cost no next key (G-K5)", async () => {
  const { authority, manager, store, value, write, beside } = await openCodexAgent();
  const identity = await manager.ensure();
  const before = await value();
  const { line: public_key } = AgentKey.generate().publicKey;
  const claims = { public_key, ephemeral: true };
  await write({ ...before, agent_identity: { ...before.agent_identity, ...claims } });
  const [entry] = (await store.load()).identities;
  expect([entry?.public_key, entry?.ephemeral]).toEqual([undefined, undefined]);
  authority.fault("rotate_key", { kind: "lose" }, 3);
  await expectRejection(manager.rotate(), AuthorityError, "unreachable");
  const chosen = (await beside()).identities[0].next_private_key;
  expect(chosen).toEqual(expect.any(String));
  const rotation = await manager.rotate();
  expect(privateKeyOf(rotation?.identity)).toBe(chosen);
  expect(rotation?.identity.agentRuntimeId).toBe(identity?.agentRuntimeId);
});

test("an old key that Codex puts back does not come back", async () => {
  const { manager, value, write } = await openCodexAgent();
  await manager.ensure();
  const before = await value();
  const rotation = await manager.rotate();
  await write(before);
  expect(await manager.ensure()).toBe(rotation?.identity);
  await manager.rotate();
  expect((await value()).agent_identity.agent_private_key).not.toBe(
    before.agent_identity.agent_private_key,
  );
});
