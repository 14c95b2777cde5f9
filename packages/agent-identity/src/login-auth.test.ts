import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKeyError, StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { AgentIdentityError } from "./agent-identity-error.js";
import { loginAuth, removeLogin, saveLogin } from "./login-auth.js";
import { fileStore } from "./store/file-store.js";
import { memoryStore } from "./store/memory-store.js";

const LOGIN = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "biscuit",
  access_token: "secret-token",
  logged_in_at: "2026-03-23T12:00:00Z",
} as const;

test("refuses to store what is no login, without showing the token", async () => {
  const store = memoryStore();
  for (const wrong of [{ account_id: "a b" }, { user_id: "" }, { access_token: "" }]) {
    const saving = saveLogin(store, { ...LOGIN, ...wrong });
    const error = await expectRejection(saving, AgentIdentityError, "invalid_request");
    expect(error.message).not.toContain("secret-token");
  }
  for (const authority of ["authority.example", "http://authority.example"]) {
    const saving = saveLogin(store, { ...LOGIN, authority });
    await expectRejection(saving, AgentKeyError, "config_invalid");
  }
  expect(await store.load()).toMatchObject({ login: null });
});

test("gives a login to the authority it belongs to, and to no other (G-I2)", async () => {
  const store = memoryStore();
  await saveLogin(store, { ...LOGIN, authority: "HTTPS://Authority.example:443//" });
  expect(await loginAuth(store, "https://authority.example/").current()).toMatchObject({
    kind: "human",
    accountId: "acct-1",
    userId: "user-1",
    accessToken: "secret-token",
    proof: "biscuit",
  });
  for (const other of [
    "https://authority.example:8443",
    "https://authority.example/backend-api",
    "https://other.example",
    "http://localhost",
  ]) {
    expect(await loginAuth(store, other).current()).toBeUndefined();
  }
  expect(await removeLogin(store)).toBe(true);
  expect(await removeLogin(store)).toBe(false);
  expect(await loginAuth(store, LOGIN.authority).current()).toBeUndefined();
});

test("a login that cannot be read is store_corrupt until it is removed or replaced", async () => {
  const directory = await openDirectory();
  const store = fileStore(directory);
  const content = { version: 1, login: { ...LOGIN, kind: "robot" }, identities: ["kept"] };
  const write = () => writeFile(join(directory, "credentials.json"), JSON.stringify(content));
  const auth = loginAuth(store, LOGIN.authority);
  for (const remedy of [() => removeLogin(store), () => saveLogin(store, LOGIN)]) {
    await write();
    const reading = Promise.resolve(auth.current());
    const error = await expectRejection(reading, StoreError, "store_corrupt");
    expect(error.message).not.toContain("secret-token");
    await remedy();
    await auth.current();
    expect((await store.load()).unreadable).toMatchObject([{ value: "kept" }]);
  }
  expect(await auth.current()).toMatchObject({ accessToken: "secret-token" });
});
