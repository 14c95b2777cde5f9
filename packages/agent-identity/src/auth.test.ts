import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createAuthSlot, fixedAuth } from "./auth.js";

const AUTH = { kind: "human", accountId: "acct-1", userId: "user-1", accessToken: "t" } as const;

test("a fixed auth is the same for ever", () => {
  const auth = fixedAuth(AUTH);
  expect(auth.current()).toMatchObject(AUTH);
  expect(auth.current()).toBe(auth.current());
});

test("an auth that is read shows no access token when it is printed", () => {
  const auth = { ...AUTH, accessToken: "human-secret" };
  const slot = createAuthSlot();
  slot.set(auth);
  for (const source of [fixedAuth(auth), createAuthSlot(auth), slot]) {
    const shown = [inspect(source.current()), JSON.stringify(source.current())];
    expect(shown.join()).not.toContain("human-secret");
    expect(source.current()).toMatchObject({ accessToken: "human-secret" });
  }
});

test("a slot calls each listener after each change, until that listener unsubscribes", () => {
  const slot = createAuthSlot();
  const heard: unknown[] = [];
  const listen = () => heard.push(slot.current());
  const leave = slot.subscribe(listen);
  slot.subscribe(listen);
  expect(slot.current()).toBeUndefined();
  slot.set(AUTH);
  leave();
  leave();
  slot.set(undefined);
  expect(heard).toMatchObject([AUTH, AUTH, undefined]);
});
