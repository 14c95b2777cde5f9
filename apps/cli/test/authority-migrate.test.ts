import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";
import { serverWorld } from "./servers.js";

const LAST = "0015_token_lists";

/** A database that the version before the last migration made. */
async function earlierWorld() {
  const world = await serverWorld();
  await world.createToken();
  const database = new DatabaseSync(String(world.onDatabase[1]).slice("sqlite:".length));
  database.exec(`drop index access_tokens_user; drop index access_tokens_role;
    delete from kysely_migration where name = '${LAST}'`);
  database.close();
  return { world, options: { home: world.home } };
}

test("no command but migrate and serve brings a database of an earlier version up to date (G-A54)", async () => {
  const { world, options } = await earlierWorld();
  const status = () => json(["authority", "status", ...world.onDatabase], options);
  for (const args of [
    ["agents", "list"],
    ["find", "agent_x"],
    ["audit", "tail"],
    ["users", "revoke", "--account", "acct-1", "--user", "user-1"],
    ["token", "create", "--account", "acct-1", "--user", "user-1"],
    ["keys", "list"],
  ]) {
    const refused = await countersign(["authority", ...args, ...world.onDatabase], options);
    expectError(refused, "config_invalid", 2);
    expect(refused.stderr).toContain(`it lacks ${LAST}`);
    expect(refused.stderr).toContain("run countersign authority migrate");
  }
  // What only reads is not refused: the upgrade begins with a copy.
  const copy = `${String(world.onDatabase[1]).slice("sqlite:".length)}.copy`;
  await json(["authority", "backup", copy, ...world.onDatabase], options);
  expect(await status()).toMatchObject({ state: "earlier", pending: [LAST] });
  const copied = ["authority", "status", "--database", `sqlite:${copy}`];
  expect(await json(copied, options)).toMatchObject({ state: "earlier", pending: [LAST] });
  const gateway = ["gateway", "--upstream", world.upstream.url, "--listen", "127.0.0.1:0"];
  expectError(await countersign([...gateway, ...world.onDatabase], options), "config_invalid", 2);
  expect(await status()).toMatchObject({ state: "earlier", pending: [LAST], unknown: [] });
});

test("authority migrate brings it up to date, and status says so", async () => {
  const { world, options } = await earlierWorld();
  const before = await output(["authority", "status", ...world.onDatabase], options);
  expect(before).toContain(`missing: ${LAST}`);
  const migrated = await json(["authority", "migrate", ...world.onDatabase], options);
  expect(migrated).toMatchObject({ migrated: [LAST] });
  expect(await json(["authority", "migrate", ...world.onDatabase], options)).toMatchObject({
    migrated: [],
  });
  const after = await output(["authority", "status", ...world.onDatabase], options);
  expect(after).toMatch(/: up to date\n$/);
  expect(
    (await countersign(["authority", "agents", "list", ...world.onDatabase], options)).code,
  ).toBe(0);
});

test("authority serve brings it up to date when it starts", async () => {
  const { world, options } = await earlierWorld();
  await world.serve();
  const status = await json(["authority", "status", ...world.onDatabase], options);
  expect(status).toMatchObject({ state: "up_to_date", pending: [] });
});

test("authority migrate and status make no database", async () => {
  const world = await serverWorld();
  for (const command of ["migrate", "status"]) {
    const missing = await countersign(["authority", command, ...world.onDatabase], {
      home: world.home,
    });
    expectError(missing, "config_invalid", 2);
    expect(missing.stderr).toContain("there is no database");
  }
});
