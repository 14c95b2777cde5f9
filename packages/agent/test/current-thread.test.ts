import { setImmediate } from "node:timers/promises";
import { parseAssertion } from "@countersign/agent-assertion";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentTaskError, AgentTaskManager } from "@countersign/agent-task";
import { headerOf, startTestUpstream } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, onTestFinished, test } from "vitest";
import { callerOf, startWorld } from "./world.js";

const THREADS = 1000;
const CONNECTIONS = 20;

test("1,000 threads of one client never mix, in what they stream to the API or read from it", async () => {
  const world = await startWorld();
  // Answers, one piece at a time, which task has called and what it was sent.
  const api = await startTestUpstream((request) => {
    const { taskId } = parseAssertion(headerOf(request, "authorization"));
    return { kind: "events", events: pieces([taskId, request.body.toString()]) };
  });
  onTestFinished(() => api.close());
  const tasks = new AgentTaskManager({ identities: world.connect().identities });
  onTestFinished(() => tasks.close());
  const pool = createPool(CONNECTIONS);
  // One client, made outside of every thread, that knows none of them.
  const send = withAssertion(fetch, tasks.currentThread(), { origins: [api.url] });
  const client = async (text: string): Promise<readonly string[]> => {
    const body = ReadableStream.from(pieces([...text]));
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    // Who waits is woken up by another thread, as in a pool of connections.
    const events = await pool(async () => (await send(`${api.url}/echo`, init)).text());
    return events.split("\n").flatMap((line) => line.match(/^data: (.*)/)?.[1] ?? []);
  };
  const turnsOf = (id: string) =>
    tasks.inThread(id, async () => {
      const first = await client(`${id} first`);
      await setImmediate();
      return [first, await client(`${id} again`)];
    });

  const ids = Array.from({ length: THREADS }, (_, index) => `thread-${index}`);
  // A few at once: no deadline decides, however slow the machine.
  const register = async (id: string) => (await tasks.ensure(id))?.taskId;
  const taskIds = await Promise.all(ids.map((id) => pool(() => register(id))));
  expect(new Set(taskIds).size).toBe(THREADS);
  expect(await Promise.all(ids.map(turnsOf))).toEqual(
    ids.map((id, index) => [
      [taskIds[index], `${id} first`],
      [taskIds[index], `${id} again`],
    ]),
  );
});

test("a connected agent's own fetch is one of the thread in which it is called", async () => {
  const world = await startWorld();
  const agent = world.connect();
  const call = async () => (await callerOf(agent.fetch(`${world.api.url}/v1`))).taskId;
  const [one, two] = await Promise.all([
    agent.inThread("thread-1", call),
    agent.inThread("thread-2", call),
  ]);
  expect([one, two]).toEqual([
    (await agent.tasks.peek("thread-1"))?.taskId,
    (await agent.tasks.peek("thread-2"))?.taskId,
  ]);
  expect(one).not.toBe(two);
});

test("a request outside of every thread is not sent", async () => {
  const world = await startWorld();
  const agent = world.connect();
  await expectRejection(agent.fetch(`${world.api.url}/v1`), AgentTaskError, "config_invalid");
  expect(world.api.requests).toEqual([]);
  expect(world.authority.requests).toEqual([]);
});

test("a request to another URL needs no thread", async () => {
  const world = await startWorld();
  const agent = world.connect({ origins: ["https://api.example"] });
  expect((await agent.fetch(`${world.api.url}/v1`)).status).toBe(401);
  expect(world.api.requests[0]?.headers).not.toHaveProperty("authorization");
});

/** Lets so many pieces of work run at once, in the order they came. */
function createPool(size: number) {
  const waiting: (() => void)[] = [];
  let free = size;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

async function* pieces(texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) {
    await setImmediate();
    yield text;
  }
}
