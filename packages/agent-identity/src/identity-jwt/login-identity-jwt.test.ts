import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { FakeClock, pacedBy } from "@countersign/testing";
import { expectRejection, openAuthority, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { expectTokenRefusal } from "../../test/support/expect-token-refusal.js";
import { AgentIdentityError } from "../agent-identity-error.js";
import { AuthorityError } from "../authority-error.js";
import { loginAuth, saveLogin } from "../login-auth.js";
import { fileStore } from "../store/file-store.js";
import { memoryStore } from "../store/memory-store.js";
import {
  createIdentityJwtLogin,
  type IdentityJwtLoginOptions,
} from "./create-identity-jwt-login.js";
import { keySetUrl } from "./key-set-url.js";
import { pinnedKeySet } from "./pinned-key-set.js";
import { remoteKeySet } from "./remote-key-set.js";

const EXPIRED = { reason: "expired", code: "agent_expired", claim: "exp" } as const;
const HUMAN = { accountId: "acct-1", userId: "user-1" };

async function open(options: Partial<IdentityJwtLoginOptions> & { readonly claims?: object } = {}) {
  const clock = new FakeClock();
  const authority = await openAuthority({ now: clock.now });
  const { claims, ...loginOptions } = options;
  const issued = authority.issueIdentityJwt({ ...HUMAN, claims: { ...claims } });
  const login = await createIdentityJwtLogin(issued.token, {
    keySet: pinnedKeySet(authority.issuer.keySet),
    authority: authority.url,
    now: clock.now,
    ...loginOptions,
  });
  return { clock, authority, issued, login };
}

describe("a login by identity JWT", () => {
  test("is not made of a token that is refused", async () => {
    const { authority, issued } = await open();
    const options = {
      keySet: pinnedKeySet(authority.issuer.keySet),
      authority: authority.url,
      now: () => Number(issued.claims.exp) * 1000 + 60_000,
    };
    const making = createIdentityJwtLogin(issued.token, options);
    await expectTokenRefusal(making, EXPIRED, [issued.token]);
  });

  test("is not stored without its token", async () => {
    const { login } = await open();
    const store = memoryStore();
    const saving = saveLogin(store, { ...login, identity_token: "" });
    await expectRejection(saving, AgentIdentityError, "invalid_request");
    expect((await store.load()).login).toBeNull();
  });

  test("says what it is, with the public key it was verified with, and no access token", async () => {
    const { authority, issued, login } = await open();
    expect(login).toEqual({
      authority: authority.url,
      account_id: "acct-1",
      user_id: "user-1",
      kind: "agent",
      identity_token: issued.token,
      key_set: authority.issuer.keySet,
      logged_in_at: "2026-03-23T12:00:00Z",
    });
  });

  test("gives its agent: one fetch of the key set for each process, and none for a look", async () => {
    const { clock, authority, login } = await open();
    const home = join(await openDirectory(), "home");
    await saveLogin(fileStore(home), login);
    const started = () => loginAuth(fileStore(home), authority.url, { now: clock.now });
    expect(await started().peek?.()).toMatchObject({ identity: { ...HUMAN } });
    expect(authority.requests).toEqual([]);
    for (const process of [1, 2]) {
      const auth = started();
      const all = await Promise.all(Array.from({ length: 20 }, () => auth.current()));
      expect(new Set(all).size).toBe(1);
      expect(all[0]).toMatchObject({ kind: "agent", identity: { agentRuntimeId: "agent_1" } });
      expect(authority.counts.keySet).toBe(process);
    }
  });

  test("belongs to one authority", async () => {
    const { clock, authority, login } = await open();
    const store = memoryStore();
    await saveLogin(store, login);
    const auth = loginAuth(store, `${authority.url}/backend-api`, { now: clock.now });
    expect(await auth.current()).toBeUndefined();
    expect(await auth.peek?.()).toBeUndefined();
  });

  test("is refused when it has ended, and when its key was withdrawn since", async () => {
    const { clock, authority, login, issued } = await open();
    const store = memoryStore();
    await saveLogin(store, login);
    const started = () => loginAuth(store, authority.url, { now: clock.now });
    authority.issuer.rotate();
    authority.issuer.withdraw("key-1");
    const withdrawn = Promise.resolve(started().current());
    await expectTokenRefusal(withdrawn, { reason: "kid", code: "bad_signature" }, [issued.token]);
    clock.advance(3_660_000);
    await expectTokenRefusal(Promise.resolve(started().peek?.()), EXPIRED, [issued.token]);
  });

  test("whose key set cannot be fetched is an error, not a logout", async () => {
    const { clock, authority, login } = await open();
    const store = memoryStore();
    await saveLogin(store, login);
    const keySet = remoteKeySet(keySetUrl(authority.url), {
      now: clock.now,
      ...pacedBy(),
    });
    authority.fault("key_set", { kind: "reset" }, 3);
    const auth = loginAuth(store, authority.url, { now: clock.now, keySet });
    const error = await expectRejection(
      Promise.resolve(auth.current()),
      AuthorityError,
      "unreachable",
    );
    expect(error.retryable).toBe(true);
    expect(await auth.current()).toMatchObject({ kind: "agent" });
  });

  test("is held against the issuer, audience and key set that it was made with", async () => {
    const claims = { iss: "https://issuer.example", aud: "my-agent" };
    const other = await openAuthority({ basePath: "/backend-api" });
    const { clock, authority, login } = await open({
      claims,
      issuer: claims.iss,
      audience: claims.aud,
      keySetUrl: keySetUrl(other.url),
    });
    const store = memoryStore();
    await saveLogin(store, login);
    const auth = loginAuth(store, authority.url, { now: clock.now });
    expect(await auth.peek?.()).toMatchObject({ kind: "agent" });
    // The other issuer signs with a key of its own under the same id.
    const refused = Promise.resolve(auth.current());
    await expectTokenRefusal(refused, { reason: "signature", code: "bad_signature" });
    expect([authority.counts.keySet, other.counts.keySet]).toEqual([0, 1]);
  });

  test("that was changed to another account is store_corrupt", async () => {
    const { clock, authority, login } = await open();
    const store = memoryStore();
    for (const change of [{ account_id: "acct-2" }, { user_id: "user-2" }]) {
      await saveLogin(store, { ...login, ...change });
      const auth = loginAuth(store, authority.url, { now: clock.now });
      for (const ask of [() => auth.current(), () => auth.peek?.()]) {
        await expectRejection(Promise.resolve(ask()), StoreError, "store_corrupt");
      }
    }
  });

  test("stays usable with keys that cannot be read, and keeps members it does not know", async () => {
    const { clock, authority, login } = await open();
    const home = await openDirectory();
    const store = fileStore(home);
    const file = join(home, "credentials.json");
    await saveLogin(store, { ...login, key_set: undefined, later: 1 });
    const content = JSON.parse(await readFile(file, "utf8"));
    content.login.key_set = "broken";
    await writeFile(file, JSON.stringify(content));
    const auth = loginAuth(store, authority.url, { now: clock.now });
    expect(await auth.peek?.()).toBeUndefined();
    expect(await auth.current()).toMatchObject({ kind: "agent" });
    expect((await store.load()).login).toMatchObject({ later: 1 });
  });

  test("changes from one login to the next are seen at once", async () => {
    const { clock, authority, login } = await open();
    const store = memoryStore();
    const auth = loginAuth(store, authority.url, { now: clock.now });
    expect(await auth.current()).toBeUndefined();
    await saveLogin(store, login);
    expect(await auth.current()).toMatchObject({ kind: "agent", identity: { userId: "user-1" } });
    await saveLogin(store, {
      authority: authority.url,
      account_id: "acct-1",
      user_id: "user-3",
      kind: "human",
      proof: "bearer",
      access_token: "token",
      logged_in_at: "",
    });
    expect(await auth.current()).toMatchObject({ kind: "human", userId: "user-3" });
  });
});
