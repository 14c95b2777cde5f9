// Requests that are refused at the same moment, over undici's dispatchers: the real thread against the real authority.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { assertionInterceptor } from "@countersign/agent-assertion/undici";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentTaskManager } from "@countersign/agent-task";
import { Agent } from "undici";
import { expect, it, onTestFinished } from "vitest";
import { TestedAuthority } from "./start-authority.js";

const REQUESTS = 100;

/** Refuses the first hundred requests, once it has them all; answers those after them. Gives the bodies in the order they came. */
async function startServer() {
  const bodies: string[] = [];
  let open = (): void => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = createServer(async (request, response) => {
    bodies.push(await text(request));
    if (bodies.length > REQUESTS) {
      response.end("done");
      return;
    }
    if (bodies.length === REQUESTS) open();
    await all;
    response.writeHead(401, { "www-authenticate": 'AgentAssertion error="task_revoked"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  return { bodies, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

it("100 requests of undici that are refused together register one new task, and each is sent once more", async () => {
  await using tested = await TestedAuthority.start();
  const now = () => tested.clock.nowMs;
  const identities = new AgentIdentityManager({
    authority: tested.url,
    auth: fixedAuth({
      kind: "human",
      accountId: "acct-1",
      userId: "user-1",
      accessToken: await tested.token(),
    }),
    store: memoryStore(),
    features: { isEnabled: () => true },
    now,
  });
  const tasks = new AgentTaskManager({ identities, now });
  const { origin, bodies } = await startServer();
  const agent = new Agent();
  const thread = tasks.thread("thread-1");
  const dispatcher = agent.compose(assertionInterceptor(thread, { origins: [origin] }));
  const ids = Array.from({ length: REQUESTS }, (_, index) => `turn-${index}`);
  const answers = await Promise.all(
    ids.map(async (body) => {
      const answer = await dispatcher.request({ origin, path: "/v1", method: "POST", body });
      return [answer.statusCode, await answer.body.text()];
    }),
  );
  expect(answers).toEqual(ids.map(() => [200, "done"]));
  expect(bodies).toHaveLength(2 * REQUESTS);
  expect(bodies.slice(REQUESTS).sort()).toEqual([...ids].sort());
  expect(await tested.authority.registry.listTasks()).toHaveLength(2);
  expect(await tested.authority.registry.listAgents()).toHaveLength(1);
  await agent.close();
  await tasks.close();
  await identities.close();
});
