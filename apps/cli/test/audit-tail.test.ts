import { createRegistry, openStore } from "@countersign/agent-authority";
import { expect, test } from "vitest";
import { countersign, expectError, output } from "./command-line.js";
import { serverWorld } from "./servers.js";

test("audit tail refuses times and switches that do not go together", async () => {
  const world = await serverWorld();
  await world.createToken();
  const tail = (...args: string[]) =>
    countersign(["authority", "audit", "tail", ...world.onDatabase, ...args], { home: world.home });
  expectError(await tail("--since", "yesterday"), "usage", 2);
  expectError(await tail("--until", "2026-04-15"), "usage", 2);
  expectError(await tail("--follow", "--reverse"), "usage", 2);
  expectError(await tail("--follow", "--until", "1m"), "usage", 2);
  expectError(await tail("--follow", "--since", "1m", "--limit", "1"), "usage", 2);
});

test("audit tail prints everything of a time, from either end, page by page", async () => {
  const world = await serverWorld();
  const COUNT = 1_050;
  await using store = await openStore(world.onDatabase[1] ?? "");
  const registry = createRegistry(store);
  for (let i = 0; i < COUNT; i += 1) {
    await registry.revokeAccount(`acct-${i}`, { evenIfUnknown: true });
  }
  const numbers = async (...args: string[]) =>
    (
      await output(["authority", "audit", "tail", "--json", ...world.onDatabase, ...args], {
        home: world.home,
      })
    )
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).sequence);
  const all = Array.from({ length: COUNT }, (_, i) => i + 1);
  expect(await numbers("--since", "1h")).toEqual(all);
  expect(await numbers("--since", "1h", "--reverse")).toEqual(all.toReversed());
  expect(await numbers("--reverse", "--limit", "3")).toEqual(all.toReversed().slice(0, 3));
  expect(await numbers("--limit", "1020")).toEqual(all.slice(-1_020));
  expect(await numbers("--account", "acct-7", "--actor", "operator")).toEqual([8]);
  const run = await countersign(
    ["authority", "audit", "tail", "--json", ...world.onDatabase, "--until", "1h"],
    { home: world.home },
  );
  expect(run).toMatchObject({ code: 0, stdout: "" });
});
