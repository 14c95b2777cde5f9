import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createRegistry, openStore } from "@countersign/agent-authority";
import { headerOf } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { serverWorld } from "./servers.js";

test("a request that registers agent and task has one id in the signing proxy's audit, at the upstream, in the authority's log and in its audit log", async () => {
  const world = await serverWorld();
  const authority = await world.serve();
  await world.logIn(authority.url);
  const audit = join(world.folder.path, "audit.jsonl");
  const listen = [
    "--listen",
    "127.0.0.1:0",
    "--open",
    "--audit",
    audit,
    "--enable",
    "use_agent_identity",
  ];
  const proxy = await world.start(["proxy", "--upstream", world.upstream.url, ...listen]);
  const headers = { "session-id": "thread-1", "x-request-id": "request-1" };
  expect((await fetch(`${proxy.url}/v1`, { headers })).status).toBe(200);

  const store = await openStore(world.onDatabase[1] ?? "");
  onTestFinished(() => store.close());
  const events = await createRegistry(store).listAuditEvents({ requestId: "request-1" });
  const actions = ["agent_registered", "agent_proven", "task_registered"];
  expect(events.map(({ action }) => action)).toEqual(actions);
  const [request = expect.unreachable()] = world.upstream.requests;
  expect(headerOf(request, "x-request-id")).toBe("request-1");
  for (const { process } of [proxy, authority]) process.kill("SIGTERM");
  const [, { stderr }] = await Promise.all([proxy.process.exited, authority.process.exited]);
  const lines = stderr.split("\n").filter((line) => line.includes('"request"'));
  const logged = lines.map((line) => JSON.parse(line));
  const registrations = logged.filter(({ path }) => String(path).endsWith("/register"));
  expect(registrations).toHaveLength(2);
  for (const line of registrations) expect(line).toMatchObject({ request_id: "request-1" });
  const [entry = ""] = (await readFile(audit, "utf8")).trim().split("\n");
  expect(JSON.parse(entry)).toMatchObject({ request_id: "request-1", status: 200 });
});
