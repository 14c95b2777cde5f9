import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentTaskError } from "@countersign/agent-task";
import { expectError, expectRejection } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ConnectedAgent } from "../src/index.js";
import { callerOf, startWorld, turn } from "./world.js";

describe("closing", () => {
  test("refuses new turns, waits for those in flight with their requests, then refuses requests", async () => {
    const world = await startWorld();
    const agent = world.connect();
    await turn(world, agent);
    const thread = agent.thread("thread-1");
    const order: string[] = [];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const running = thread.run(async () => {
      await held;
      await callerOf(thread.fetch(world.api.url));
      order.push("turn");
    });
    const closed = agent.close().then(() => order.push("closed"));
    const refused = await expectRejection(turn(world, agent), AgentTaskError, "cancelled");
    expect(refused).toMatchObject({ message: "the agent was closed" });
    expect(refused.hint).toContain("connect it again");
    const { signal } = thread;
    expect(signal.aborted).toBe(false);
    goOn();
    await Promise.all([running, closed]);
    expect(order).toEqual(["turn", "closed"]);
    for (const { reason } of [signal, thread.signal]) {
      expectError(reason, AgentTaskError, "cancelled");
    }
    const { length } = world.api.requests;
    await expectRejection(thread.fetch(world.api.url), AgentTaskError, "cancelled");
    expect(world.api.requests).toHaveLength(length);
    await agent.close();
  });

  test("waits for the work of inThread between its requests", async () => {
    const world = await startWorld();
    const agent = world.connect();
    const order: string[] = [];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const call = () => callerOf(agent.fetch(world.api.url));
    const working = agent.inThread("thread-1", async () => {
      await call();
      order.push("first");
      await held;
      // A part of work that is waited for.
      await agent.inThread("thread-2", call);
      order.push("work");
    });
    await expect.poll(() => order).toEqual(["first"]);
    const closed = agent.close().then(() => order.push("closed"));
    await expectRejection(turn(world, agent), AgentTaskError, "cancelled");
    goOn();
    await Promise.all([working, closed]);
    expect(order).toEqual(["first", "work", "closed"]);
    await expectRejection(agent.inThread("thread-1", call), AgentTaskError, "cancelled");
  });

  test("leaves the failure of the work of inThread to its caller", async () => {
    const agent = (await startWorld()).connect();
    const fault = new Error("of the work");
    const failed = agent.inThread("thread-1", () => Promise.reject(fault));
    await Promise.all([agent.close(), expect(failed).rejects.toBe(fault)]);
  });

  test("does not wait for a thenable, which may begin something once it is waited for", async () => {
    const agent = (await startWorld()).connect();
    class Query extends Promise<void> {
      // biome-ignore lint/suspicious/noThenProperty: that is what it is about
      override then = () => expect.unreachable("begun");
    }
    const query = new Query(() => {});
    expect(agent.inThread("thread-1", () => query)).toBe(query);
    await agent.close();
  });

  test("waits for a request outside of any turn", async () => {
    const world = await startWorld();
    const agent = world.connect();
    await turn(world, agent);
    let answer = () => {};
    world.api.until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const order: string[] = [];
    const asked = agent.thread("thread-1").fetch(`${world.api.url}/slow`);
    const slow = asked.then(() => order.push("answer"));
    await expect.poll(() => world.api.requests.length).toBe(2);
    const closed = agent.close().then(() => order.push("closed"));
    answer();
    await Promise.all([slow, closed]);
    expect(order[0]).toBe("answer");
  });

  test("ends a turn's registration with await using too, and leaves nothing behind", async () => {
    const world = await startWorld();
    let left: ConnectedAgent;
    {
      await using agent = world.connect();
      await turn(world, agent);
      left = agent;
    }
    await expectRejection(turn(world, left), AgentTaskError, "cancelled");
  });

  test("ends the question whose token it is, which a caller has given up", async () => {
    let asked = () => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let isOpen = true;
    // Never answers.
    const server = createServer((request) => {
      request.socket.once("close", () => {
        isOpen = false;
      });
      asked();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const agent = (await startWorld()).connect({ authority });
    const caller = new AbortController();
    const begun = async () => expect.unreachable("begun");
    const waiting = agent.thread("thread-1").run(begun, { signal: caller.signal });
    await asking;
    caller.abort(new Error("given up"));
    await expect(waiting).rejects.toThrow("given up");
    expect(isOpen).toBe(true);
    await agent.close();
    // Much less than the deadline of the question itself, 30 s.
    await expect.poll(() => isOpen, { timeout: 20_000 }).toBe(false);
  });

  test("before anything was asked for touches nothing", async () => {
    const world = await startWorld();
    await world.connect().close();
    expect(world.authority.requests).toEqual([]);
  });
});
