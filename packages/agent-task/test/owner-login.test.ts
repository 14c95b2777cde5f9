import { expect, it } from "vitest";
import { OwnerLogin } from "../src/internal/owner-login.js";
import { startWorld } from "./world.js";

it("is the login of the agent's own account and user alone, also after another login", async () => {
  const world = await startWorld({ proof: "biscuit" });
  const identity = (await world.identities.ensure()) ?? expect.fail("no identity");
  const human = new OwnerLogin(world.identities, identity);
  expect(await human.current()).toMatchObject({ accountId: "acct-1", userId: "user-1" });
  for (const [accountId, userId] of [
    ["acct-2", "user-1"],
    ["acct-1", "user-2"],
  ] as const) {
    world.auth.set(world.login(accountId, userId));
    expect(await human.now()).toBe("switched");
    expect(await human.current()).toBe("switched");
  }
  world.auth.set(undefined);
  expect(await human.now()).toBe("switched");
});
