import { headerOf } from "@countersign/testing";
import { expect, it } from "vitest";
import { startWorld, type World } from "./world.js";

const origin = "https://api.example";

const idsOf = ({ authority }: World) =>
  authority.requests.map((request) => [request.url, headerOf(request, "x-request-id")]);

it("of the request that a credential is for goes with each registration that it causes, and with no later one", async () => {
  const world = await startWorld();
  const thread = world.tasks().thread("thread-1");
  const credential = await thread.credential({ requestId: "request-1" });
  await thread.credential({ requestId: "request-2" });
  const agent = expect.stringMatching(/^\/v1\/agent\/[^/]+\/task\/register$/);
  const first = [
    ["/v1/agent/register", "request-1"],
    [agent, "request-1"],
  ];
  expect(idsOf(world)).toEqual(first);
  await thread.refused(credential, { code: "task_revoked", origin }, { requestId: "request-3" });
  await world.tasks().thread("thread-2").credential();
  expect(idsOf(world)).toEqual([...first, [agent, "request-3"], [agent, undefined]]);
});

it("is that of the first of several requests that share a registration", async () => {
  const world = await startWorld();
  const thread = world.tasks().thread("thread-1");
  await Promise.all(
    ["request-1", "request-2"].map((requestId) => thread.credential({ requestId })),
  );
  expect(idsOf(world).map(([, id]) => id)).toEqual(["request-1", "request-1"]);
});

it("that a server would not take is not sent", async () => {
  const world = await startWorld();
  const tasks = world.tasks();
  for (const [at, requestId] of [
    "",
    "a b",
    "a\nb",
    "x".repeat(129),
    "cs_human_s3cr3ts3cr3ts3cr3t",
  ].entries()) {
    await tasks.ensure(`thread-${at}`, { requestId });
  }
  expect(idsOf(world)).toHaveLength(6);
  expect(new Set(idsOf(world).map(([, id]) => id))).toEqual(new Set([undefined]));
});
