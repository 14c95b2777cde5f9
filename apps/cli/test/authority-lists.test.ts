import { describe, expect, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { serverWorld } from "./servers.js";

describe("agents list and tasks list", () => {
  test("refuse a time, an address and an order that are not ones", async () => {
    const { createToken, onDatabase, home } = await serverWorld();
    await createToken();
    for (const [option = "", value = ""] of [
      ["--unused-since", "30 days"],
      ["--used-since", "yesterday"],
      ["--created-since", "2026-04-15"],
      ["--address", "localhost"],
      ["--sort", "name"],
    ]) {
      for (const kind of ["agents", "tasks"]) {
        const args = ["authority", kind, "list", option, value, ...onDatabase];
        expectError(await countersign(args, { home }), "usage", 2);
      }
    }
  });

  test("narrow by time, address and use, and begin with the newest", async () => {
    const { serve, logIn, onDatabase, home } = await serverWorld();
    const list = (kind: string, ...args: string[]) =>
      json(["authority", kind, "list", ...args, ...onDatabase], { home });
    const authority = await serve();
    await logIn(authority.url);
    for (const thread of ["one", "two"]) {
      const url = `${authority.url}/v1/assertion/whoami`;
      const args = ["request", url, "--origin", authority.url, "--thread", thread];
      expect(await countersign(args, { home, env: FEATURE_ON })).toMatchObject({ code: 0 });
    }
    const oldestFirst = () => list("tasks", "--sort", "oldest");
    // Uses are written after the answers.
    await expect
      .poll(async () => (await oldestFirst()).filter((task: object) => "last_used_at" in task))
      .toHaveLength(2);
    const tasks = await oldestFirst();
    expect(await list("tasks")).toEqual([...tasks].reverse());
    expect(await list("tasks", "--limit", "1")).toEqual([tasks[1]]);
    for (const kind of ["agents", "tasks"]) {
      const ids = async (...args: string[]) =>
        (await list(kind, ...args)).map((entry: { created_at: string }) => entry.created_at);
      const all = await ids();
      expect((await list(kind))[0]).toMatchObject({ address: "127.0.0.1" });
      expect(await ids("--address", "127.0.0.1", "--created-since", "1h")).toEqual(all);
      expect(await ids("--address", "203.0.113.7")).toEqual([]);
      expect(await ids("--unused-since", "30d")).toEqual([]);
    }
    expect(await list("tasks", "--sort", "used")).toHaveLength(2);
    expect(await list("agents", "--used-since", "1h", "--user", "user-1")).toHaveLength(1);
    expect(await list("agents", "--used-since", "1h", "--user", "another")).toEqual([]);
  });

  test("show what an agent said of itself, as do show and find, in text and JSON", async () => {
    const { serve, logIn, onDatabase, home } = await serverWorld();
    const authority = await serve();
    await logIn(authority.url);
    await json(["task", "ensure"], { home, env: FEATURE_ON });
    const [agent] = await json(["authority", "agents", "list", ...onDatabase], { home });
    const declared = {
      agent_version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      agent_harness_id: "countersign",
      running_location: `node-${process.platform}`,
    };
    expect(agent).toMatchObject(declared);
    const { agent_runtime_id: id } = agent;
    const found = await json(["authority", "find", id, ...onDatabase], { home });
    expect(found.matches).toMatchObject([{ kind: "agent", ...declared }]);
    const listed = await output(["authority", "agents", "list", ...onDatabase], { home });
    expect(listed).toMatch(/AGENT_HARNESS_ID +CLAIMS\n.* countersign +-\n$/);
    for (const args of [
      ["agents", "show", id],
      ["find", id],
    ]) {
      const text = await output(["authority", ...args, ...onDatabase], { home });
      expect(text).toMatch(/^ *agent_harness_id +countersign$/m);
      expect(text).toMatch(/^ *running_location +node-/m);
    }
  });

  test("show what a thread is called, and find its tasks by that", async () => {
    const { serve, logIn, onDatabase, home } = await serverWorld();
    const authority = await serve();
    await logIn(authority.url);
    const url = `${authority.url}/v1/assertion/whoami`;
    const commands = [["task", "ensure"], ["header"], ["request", url, "--origin", authority.url]];
    for (const [number, command] of commands.entries()) {
      const args = [...command, "--thread", `thread-${number}`];
      for (const label of ["", " a", "a\nb", "x".repeat(65)]) {
        const refused = await countersign([...args, "--thread-label", label], {
          home,
          env: FEATURE_ON,
        });
        expectError(refused, "invalid_request", 2);
      }
      await output([...args, "--thread-label", `Build ${number}`], { home, env: FEATURE_ON });
      // It is stored with the thread.
      await output(args, { home, env: FEATURE_ON });
    }
    await json(["task", "ensure"], { home, env: FEATURE_ON });
    const sorted = ["--sort", "oldest", ...onDatabase];
    const tasks = await json(["authority", "tasks", "list", ...sorted], { home });
    expect(tasks.map((task: { thread_label?: string }) => task.thread_label)).toEqual([
      ...["Build 0", "Build 1", "Build 2"],
      undefined,
    ]);
    expect(await output(["authority", "tasks", "list", ...sorted], { home })).toMatch(
      /THREAD_LABEL\n.* Build 0\n/,
    );
    const find = (label: string) => ["authority", "find", label, ...onDatabase];
    const { matches } = await json(find("Build 1"), { home });
    expect(matches).toMatchObject([
      {
        kind: "task",
        thread_label: "Build 1",
        user_id: "user-1",
        state: "active",
        stop: [
          {
            command: `countersign authority tasks revoke ${tasks[1].task_id} ${onDatabase.join(" ")}`,
          },
          {},
        ],
      },
    ]);
    expect((await json(find("Build"), { home })).matches).toHaveLength(3);
    expect(await output(find("Build 2"), { home })).toMatch(/^ *thread_label +Build 2$/m);
  });
});
