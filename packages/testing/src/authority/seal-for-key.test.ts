import { generateKeyPairSync } from "node:crypto";
import { expect, test, vi } from "vitest";
import { FakeClock } from "../fake-clock.js";
import { sealForKey } from "./seal-for-key.js";
import { startTestAuthority } from "./start-test-authority.js";

const loaded = vi.hoisted(() => ({ times: 0 }));
vi.mock(import("libsodium-wrappers"), async (importOriginal) => {
  loaded.times += 1;
  return await importOriginal();
});

test("loads libsodium for the first sealed text, not for the authority", async () => {
  await using authority = await startTestAuthority({ now: new FakeClock().now });
  authority.issueIdentityJwt({ accountId: "acct-1", userId: "user-1" });
  expect(loaded.times).toBe(0);
  const { publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  const box = Buffer.from(await sealForKey("task_1", Buffer.from(x, "base64url")), "base64");
  expect(box.length).toBe(48 + "task_1".length);
  expect(loaded.times).toBe(1);
});
