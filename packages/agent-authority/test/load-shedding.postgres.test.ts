import { AgentKey } from "@countersign/agent-key";
import { expect, it } from "vitest";
import { createAuthorityMetrics } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { holdTable } from "./hold-table.js";
import { TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const PLACES = 20;

it("requests that wait for the database keep their places, the next one is turned away, and none is lost (G-A10)", async () => {
  await using own = await createTestDatabase();
  const metrics = createAuthorityMetrics();
  await using tested = await TestedAuthority.start({
    database: own.url,
    limits: { maxRequests: PLACES },
    metrics,
  });
  const token = await tested.token();
  const release = await holdTable(own.url, "users");
  // More than the pool has connections: the others wait for one.
  const waiting = Array.from({ length: PLACES }, () =>
    tested.registerAgent(token, AgentKey.generate()),
  );
  await expect.poll(() => metrics.render()).toContain(`requests_in_flight ${PLACES}\n`);
  expectRefusal(await tested.registerAgent(token, AgentKey.generate()), 503, "server_error");
  expect((await tested.call("GET", "/healthz")).status).toBe(200);
  await release();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(PLACES).fill(200));
  expect(await tested.authority.registry.listAgents()).toHaveLength(PLACES);
});
