import { AgentIdentityManager } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { codexAuth } from "../src/codex-auth.js";
import { openCodexAgent } from "./support/codex-home.js";

test("an agent whose key moves elsewhere is stored beside auth.json alone, and its former key leaves that file", async () => {
  const { authority, manager, root, store, value, beside } = await openCodexAgent();
  await manager.ensure();
  const before = await value();
  const next = AgentKey.generate();
  const moved = new AgentIdentityManager({
    authority: authority.url,
    auth: codexAuth(root, { authority: authority.url }),
    store,
    signers: [{ publicKey: next.publicKey, sign: async (text) => next.sign(text) }],
  });
  await moved.rotate({
    next: { publicKey: next.publicKey, sign: async (text) => next.sign(text) },
  });
  const { agent_identity: _, ...others } = before;
  expect(await value()).toEqual(others);
  const { identities } = await beside();
  expect(identities).toMatchObject([{ public_key: next.publicKey.line }]);
  expect((await moved.ensure())?.key.publicKey.line).toBe(next.publicKey.line);
  await moved.close();
});
