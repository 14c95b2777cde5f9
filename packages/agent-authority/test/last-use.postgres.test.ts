import { expect, it } from "vitest";
import { holdTable } from "./hold-table.js";
import { TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

it("a report that waits for the database holds up no registration and no lookup", async () => {
  await using database = await createTestDatabase();
  await using tested = await TestedAuthority.start({ database: database.url });
  const { id, key } = await tested.agent();
  await tested.registerTask(id, key);
  const release = await holdTable(database.url, "agent_uses");
  const body = { uses: [{ agent_runtime_id: id, seconds_ago: 0 }] };
  const token = await tested.token("resource_server", "gateway", "ops");
  // More than there are connections to the database, and as many as may wait of one caller.
  const reports = [{}, { authorization: `Bearer ${token}` }].flatMap((headers) =>
    Array.from({ length: 8 }, () => tested.call("POST", "/v1/assertion/uses", { headers, body })),
  );
  expect((await tested.registerTask(id, key)).status).toBe(200);
  expect((await tested.call("GET", `/v1/agent/${id}`)).status).toBe(200);
  await release();
  for (const report of reports) expect((await report).status).toBe(200);
  expect(await tested.authority.registry.getAgent(id)).toHaveProperty("lastUsedAt");
});
