import { AgentAssertionError, memoryDirectory } from "@countersign/agent-assertion";
import { expect, onTestFinished, test, vi } from "vitest";
import { DirectoryHealth, noted } from "./directory-health.js";

const NO_AGENTS = { authority: "https://authority.example", agents: [], tasks: [] };

function healthAt(windowSeconds: number) {
  const clock = { ms: 0 };
  const health = new DirectoryHealth({ windowSeconds, now: () => clock.ms });
  return { clock, health };
}

test("no request can be verified before the first answer", () => {
  const { health } = healthAt(300);
  expect([health.state, health.canVerify]).toEqual(["unreachable", false]);
  health.note({ asked: false });
  health.note({ asked: true, code: "timeout" });
  expect(health.state).toBe("unreachable");
  health.note({ asked: true });
  expect([health.state, health.canVerify]).toEqual(["fresh", true]);
});

test.each(["unreachable", "timeout", "server_error", "bad_response", "rate_limited"] as const)(
  "%s makes it stale for as long as earlier answers are used, and unreachable after that",
  (code) => {
    const { clock, health } = healthAt(300);
    health.note({ asked: true });
    clock.ms = 100_000;
    health.note({ asked: true, code });
    expect([health.state, health.canVerify]).toEqual(["stale", true]);
    clock.ms = 299_999;
    health.note({ asked: true, code });
    expect(health.state).toBe("stale");
    clock.ms = 300_000;
    expect([health.state, health.canVerify]).toEqual(["unreachable", false]);
    health.note({ asked: true });
    expect(health.state).toBe("fresh");
  },
);

test("a window of nothing leaves nothing to serve", () => {
  const { health } = healthAt(0);
  health.note({ asked: true });
  health.note({ asked: true, code: "unreachable" });
  expect(health.state).toBe("unreachable");
});

test.each(["unauthenticated", "forbidden"] as const)(
  "%s lasts until an answer comes, through an outage too",
  (code) => {
    const { health } = healthAt(300);
    health.note({ asked: true });
    health.note({ asked: true, code });
    expect([health.state, health.canVerify]).toEqual(["refused", false]);
    health.note({ asked: true, code: "timeout" });
    expect(health.state).toBe("refused");
    health.note({ asked: true });
    expect(health.state).toBe("fresh");
  },
);

test("a wrong answer about one record alone is over with the next answer about another one", () => {
  const { health } = healthAt(0);
  health.note({ asked: true });
  health.note({ asked: true, code: "bad_response" });
  expect(health.canVerify).toBe(false);
  health.note({ asked: true });
  expect(health.canVerify).toBe(true);
});

test("a directory that reports nothing is noted, but for a caller that went away", async () => {
  const { health } = healthAt(0);
  let failure: Error | undefined;
  const base = memoryDirectory(NO_AGENTS);
  const directory = noted(
    {
      ...base,
      agent: async (id) => {
        if (failure !== undefined) throw failure;
        return await base.agent(id);
      },
    },
    health,
  );
  await directory.task("agent-1", "task-1");
  expect(health.state).toBe("fresh");
  failure = new AgentAssertionError("cancelled", "the caller went away");
  await expect(directory.agent("agent-1")).rejects.toBe(failure);
  expect(health.state).toBe("fresh");
  failure = new Error("disk");
  await expect(directory.agent("agent-1")).rejects.toBe(failure);
  expect(health.state).toBe("unreachable");
});

test("it is asked each 5 seconds while no request can be verified, and else not", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { health } = healthAt(0);
  let asked = 0;
  using _ = health;
  health.watch(
    noted(
      {
        ...memoryDirectory(NO_AGENTS),
        agent: async () => {
          asked += 1;
          if (asked < 3) throw new Error("away");
          return undefined;
        },
      },
      health,
    ),
  );
  await vi.advanceTimersByTimeAsync(14_999);
  expect([asked, health.state]).toEqual([2, "unreachable"]);
  await vi.advanceTimersByTimeAsync(60_001);
  expect([asked, health.state]).toEqual([3, "fresh"]);
});
