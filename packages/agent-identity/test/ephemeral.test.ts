import type { AuthorityRecord } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { fixedAuth } from "../src/auth.js";
import { loginAuth, saveLogin } from "../src/login-auth.js";
import { memoryStore } from "../src/store/memory-store.js";
import { openManager } from "./support/manager.js";

const registrationsOf = (requests: readonly AuthorityRecord[]) =>
  requests.filter(({ step }) => step === "register_agent").map(({ body }) => JSON.parse(body));

describe("the agent of a login for one job", () => {
  test("is registered with its life, also where the authority does not know the kind", async () => {
    const { authority, auth, manager, store, human } = await openManager({ ttlSeconds: 86_400 });
    auth.set({ ...human("acct-1", "user-1"), ephemeralSeconds: 600 });
    await manager.ensure();
    expect(registrationsOf(authority.requests)).toMatchObject([{ ephemeral: true, ttl: 600 }]);
    const [entry] = (await store.load()).identities;
    expect(entry).not.toHaveProperty("ephemeral", true);
  });

  test("is kept as ephemeral if the authority says that it is", async () => {
    const { authority, auth, manager, store, human } = await openManager();
    auth.set({ ...human("acct-1", "user-1"), ephemeralSeconds: 600 });
    authority.fault("register_agent", {
      kind: "answer",
      body: { agent_runtime_id: "agent-1", ephemeral: true },
    });
    await manager.ensure();
    expect((await store.load()).identities).toMatchObject([{ ephemeral: true }]);
  });

  test("is a lasting one without the word, with the life of the options", async () => {
    const { authority, manager } = await openManager({ ttlSeconds: 86_400 });
    await manager.ensure();
    const [body] = registrationsOf(authority.requests);
    expect(body).toMatchObject({ ttl: 86_400 });
    expect(body).not.toHaveProperty("ephemeral");
  });

  test("is what the stored login says", async () => {
    const store = memoryStore();
    const { authority, human } = await openManager();
    const { accessToken } = human("acct-1", "user-1");
    await saveLogin(store, {
      authority: authority.url,
      account_id: "acct-1",
      user_id: "user-1",
      kind: "human",
      proof: "bearer",
      access_token: accessToken,
      ephemeral_seconds: 60,
      logged_in_at: "",
    });
    expect(await loginAuth(store, authority.url).current()).toMatchObject({ ephemeralSeconds: 60 });
  });

  test.each([0, 604_801, 1.5, "60", null])("is refused with a life of %j", (ephemeralSeconds) => {
    const human = { kind: "human", accountId: "a", userId: "u", accessToken: "t" } as const;
    expect(() => fixedAuth({ ...human, ephemeralSeconds: ephemeralSeconds as never })).toThrow(
      /ephemeralSeconds must be an integer from 1 to 604800/,
    );
  });
});
