import { expect, test } from "vitest";
import { AuthorityClient } from "./client/authority-client.js";
import type { CredentialStore } from "./credential-store.js";
import type { IdentityOwner } from "./identity-owner.js";
import { runAlone } from "./run-alone.js";
import { memoryStore } from "./store/memory-store.js";

const authority = "https://authority.example";
const owner: IdentityOwner = { authority, accountId: "acct-1", userId: "user-1" };

/** Runs under a lock that is lost during the run, for a caller that leaves during the run or stays. Returns the error. */
async function failureOf(callerLeaves: boolean): Promise<unknown> {
  const [lock, caller] = [new AbortController(), new AbortController()];
  const withLock: NonNullable<CredentialStore["withLock"]> = (_, run) => run(lock.signal);
  const options = {
    client: new AuthorityClient({ authority }),
    store: { ...memoryStore(), withLock },
    deadlineMs: undefined,
  };
  const running = runAlone(options, owner, caller.signal, {}, async ({ signal }) => {
    lock.abort("the lock was lost");
    if (callerLeaves) caller.abort("the caller has left");
    throw `cut off: ${signal.aborted}`;
  });
  return await running.catch((error: unknown) => error);
}

test("a run that is cut off since its lock was lost fails for that reason, unless its caller has left", async () => {
  expect(await failureOf(false)).toBe("the lock was lost");
  expect(await failureOf(true)).toBe("cut off: true");
});
