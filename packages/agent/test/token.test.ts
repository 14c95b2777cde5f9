import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { AuthorityError } from "@countersign/agent-identity";
import { AgentTaskError, TaskRegistrationError } from "@countersign/agent-task";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import type { AccessToken } from "../src/index.js";
import { callerOf, startWorld } from "./world.js";

describe("a function that returns no token", () => {
  test.each([["an empty string"], ["an object"]])("but %s is config_invalid", async (got) => {
    const world = await startWorld();
    const wrong = (got === "an object" ? { token: "s3cr3t" } : "") as string;
    const thread = world.connect({ accessToken: () => wrong }).thread("thread-1");
    const error = await expectRejection(
      thread.run(async () => expect.unreachable("begun")),
      TaskRegistrationError,
      "config_invalid",
    );
    expect(error.message).toContain(`accessToken() must be the human's access token`);
    expect(error.message).toContain(`got ${got}`);
    expect(error.message).not.toContain("s3cr3t");
  });

  test.each(["s3cr3t\n", "s3cr3t two", "s3cr3t\u00e9"])(
    "but %j, which no header can carry, is config_invalid, and nothing is sent",
    async (token) => {
      const world = await startWorld();
      const thread = world.connect({ accessToken: () => token }).thread("thread-1");
      const error = await expectRejection(
        thread.run(async () => expect.unreachable("begun")),
        TaskRegistrationError,
        "config_invalid",
      );
      expect(error.message).toContain("accessToken() must be visible ASCII characters alone");
      expect(`${error.message} ${error.hint}`).not.toContain("s3cr3t");
      expect(world.authority.requests).toEqual([]);
    },
  );

  test("is not_logged_in: nothing is sent", async () => {
    const world = await startWorld();
    const thread = world.connect({ accessToken: async () => undefined }).thread("thread-1");
    await expectRejection(
      thread.run(async () => expect.unreachable("begun")),
      AgentTaskError,
      "not_logged_in",
    );
    await expectRejection(thread.fetch(world.api.url), AgentTaskError, "not_logged_in");
    expect([...world.authority.requests, ...world.api.requests]).toEqual([]);
  });

  const fault = new Error("the session s3cr3t is locked");
  const throws = () => {
    throw fault;
  };
  test.each<[string, AccessToken]>([
    ["throws", throws],
    ["rejects", async () => throws()],
  ])(
    "but %s fails the turn with a hint, and what it threw at the end of the causes",
    async (_, accessToken) => {
      const world = await startWorld();
      const thread = world.connect({ accessToken }).thread("thread-1");
      for (const start of [
        () => thread.run(async () => expect.unreachable("begun")),
        () => thread.fetch(world.api.url),
      ]) {
        const error = await expectRejection(start(), TaskRegistrationError, "internal");
        expect(error.message).toContain("accessToken() failed");
        expect(error.message).not.toContain("s3cr3t");
        expect(error.hint).toContain("the next turn calls accessToken() again");
        expect(error.cause).toMatchObject({ cause: fault });
      }
      expect([...world.authority.requests, ...world.api.requests]).toEqual([]);
    },
  );

  test("but throws an error with a code keeps that code", async () => {
    const world = await startWorld();
    const accessToken = () => {
      throw new AgentTaskError("not_logged_in", "the session has ended", { hint: "open the app" });
    };
    const thread = world.connect({ accessToken }).thread("thread-1");
    const error = await expectRejection(
      thread.run(async () => expect.unreachable("begun")),
      TaskRegistrationError,
      "not_logged_in",
    );
    expect(error.hint).toBe("open the app");
  });
});

test("a token that the authority refuses is unauthenticated and leaves no home, and the next turn tries again", async () => {
  const world = await startWorld();
  const tokens = ["wrong", world.accessToken];
  let index = 0;
  const thread = world.connect({ accessToken: () => tokens[index] }).thread("thread-1");
  await expectRejection(
    thread.run(async () => expect.unreachable("begun")),
    TaskRegistrationError,
    "unauthenticated",
  );
  expect(existsSync(world.home)).toBe(false);
  index = 1;
  expect((await thread.fetch(world.api.url)).status).toBe(200);
});

test("an authority that cannot tell whose token it is fails the turn alone", async () => {
  const world = await startWorld();
  const thread = world.connect().thread("thread-1");
  world.authority.fault("whoami", { kind: "answer", body: { account_id: "acct-1" } });
  await expectRejection(
    thread.run(async () => expect.unreachable("begun")),
    TaskRegistrationError,
    "bad_response",
  );
  expect((await thread.fetch(world.api.url)).status).toBe(200);
});

test("a newer token of the same human is asked about once, and changes neither agent nor task", async () => {
  const world = await startWorld();
  const human = { accountId: "acct-1", userId: "user-1" };
  let token = world.accessToken;
  const accessToken: AccessToken = async () => token;
  const thread = world.connect({ accessToken }).thread("thread-1");
  const before = await callerOf(thread.fetch(world.api.url));
  token = world.authority.addHuman(human);
  for (const _ of [1, 2]) expect(await callerOf(thread.fetch(world.api.url))).toEqual(before);
  expect(world.authority.counts).toMatchObject({ whoami: 2, registerAgent: 1, registerTask: 1 });
});

test("the refusal of an older token's question forgets nothing about a newer token", async () => {
  const world = await startWorld();
  let refuse = () => {};
  const until = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  let token = "old";
  const { identities } = world.connect({ accessToken: () => token });
  world.authority.fault("whoami", { kind: "hold", until });
  const old = expectRejection(identities.auth(), AuthorityError, "unauthenticated");
  await expect.poll(() => world.authority.counts.whoami).toBe(1);
  token = world.accessToken;
  await identities.auth();
  // What was noted in the home would answer in place of a second question.
  await rm(`${world.home}/known-humans.json`);
  refuse();
  await old;
  await identities.auth();
  expect(world.authority.counts.whoami).toBe(2);
});

test("the home knows whose the last 20 tokens were", async () => {
  const world = await startWorld();
  const human = { accountId: "acct-1", userId: "user-1" };
  const tokens = Array.from({ length: 21 }, () => world.authority.addHuman(human));
  let token: string | undefined;
  const { identities } = world.connect({ accessToken: () => token });
  for (token of tokens) await identities.auth();
  const text = await readFile(`${world.home}/known-humans.json`, "utf8");
  expect(JSON.parse(text).humans).toHaveLength(20);
  const again = world.connect({ accessToken: () => token }).identities;
  for (token of tokens.slice(1)) await again.auth();
  expect(world.authority.counts.whoami).toBe(21);
  token = tokens[0];
  await again.auth();
  expect(world.authority.counts.whoami).toBe(22);
});

test("another human is another agent at once, and the first one comes back without a request", async () => {
  const world = await startWorld();
  const tokens = [
    world.accessToken,
    world.authority.addHuman({ accountId: "acct-2", userId: "user-2" }),
    world.accessToken,
  ];
  let index = 0;
  const thread = world.connect({ accessToken: () => tokens[index] }).thread("thread-1");
  const callers = [];
  for (index = 0; index < tokens.length; index += 1) {
    callers.push(await callerOf(thread.fetch(world.api.url)));
  }
  const [first, second, third] = callers;
  expect(second).toMatchObject({ accountId: "acct-2", userId: "user-2" });
  expect(second?.agentRuntimeId).not.toBe(first?.agentRuntimeId);
  expect(third).toEqual(first);
  expect(world.authority.counts).toMatchObject({ whoami: 2, registerAgent: 2, registerTask: 2 });
});

test("a registration that is answered after another login is made again for that one, and ends nothing", async () => {
  const world = await startWorld();
  const tokens = {
    first: world.accessToken,
    second: world.authority.addHuman({ accountId: "acct-1", userId: "user-2" }),
  };
  let who: keyof typeof tokens = "second";
  const agent = world.connect({ accessToken: () => tokens[who] });
  const thread = agent.thread("thread-1");
  await callerOf(thread.fetch(world.api.url));
  who = "first";
  const { agentRuntimeId } = await callerOf(agent.thread("thread-2").fetch(world.api.url));
  let answer = () => {};
  const until = new Promise<void>((resolve) => {
    answer = resolve;
  });
  world.authority.fault("register_task", { kind: "hold", until });
  const late = agent.thread("thread-3").fetch(world.api.url);
  await expect.poll(() => world.authority.counts.registerTask).toBe(3);
  const { signal } = thread;
  world.authority.revokeAgent(agentRuntimeId);
  who = "second";
  await callerOf(thread.fetch(world.api.url));
  answer();
  expect(await callerOf(late)).toMatchObject({ userId: "user-2" });
  expect(signal.aborted).toBe(false);
  await callerOf(thread.fetch(world.api.url, { signal }));
});
