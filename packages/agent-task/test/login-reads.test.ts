import type { Auth } from "@countersign/agent-identity";
import { CountersignError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, it } from "vitest";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { startWorld, type World } from "./world.js";

/** A world whose login is what the function says at each read. */
async function startRead(read: (world: World, count: number) => Auth | undefined) {
  const state: { world?: World; reads: number } = { reads: 0 };
  const current = () => {
    if (state.world === undefined) return undefined;
    state.reads += 1;
    return read(state.world, state.reads);
  };
  state.world = await startWorld({ auth: { current } });
  return { world: state.world, reads: () => state.reads };
}

const bearerOrigins = ["https://api.example"];

it("a login that ends before any read of it makes no fallback, and its own error", async () => {
  const outcomes = new Set<string>();
  for (let last = 0; !outcomes.has("bearer") && last < 30; last += 1) {
    const { world } = await startRead(({ human }, count) => (count > last ? undefined : human));
    world.authority.fault("register_task", { kind: "status", status: 503 }, 9);
    const thread = world.tasks({ onFailure: "bearer", bearerOrigins }).thread("thread-1");
    outcomes.add(
      await thread.credential().then(
        ({ kind }) => kind,
        (error: unknown) => (CountersignError.is(error) ? error.code : `${error}`),
      ),
    );
  }
  expect([...outcomes].sort()).toEqual(["bearer", "not_logged_in", "server_error"]);
});

it("a login that is another one after each registration ends in a temporary error", async () => {
  const { world } = await startRead(({ authority, login }) =>
    login(`acct-${authority.counts.registerTask}`),
  );
  const error = await expectRejection(
    world.tasks().thread("thread-1").credential(),
    TaskRegistrationError,
    "cancelled",
  );
  expect(error.retryable).toBe(true);
  expect(world.authority.counts.registerTask).toBe(4);
});

it("a registration that its caller ended reads no login after it", async () => {
  const { world, reads } = await startRead(({ human }) => human);
  await world.identities.ensure();
  world.authority.fault("register_task", { kind: "hang" });
  const caller = new AbortController();
  const { signal } = caller;
  const credential = world.tasks().thread("thread-1").credential({ signal });
  await expect.poll(() => world.authority.counts.registerTask).toBe(1);
  const before = reads();
  caller.abort();
  await expectRejection(credential, TaskRegistrationError, "cancelled");
  await new Promise((resolve) => setImmediate(resolve));
  expect(reads()).toBe(before);
});
