import { describe, expect, test } from "vitest";
import { startFaultAgent } from "./fault-agent.js";
import { startFaultGateway } from "./fault-gateway.js";
import { startRealAuthority } from "./real-authority.js";

const TEN_MINUTES_MS = 600_000;

async function startWorld(offset: { ms: number }) {
  const authority = await startRealAuthority();
  const token = await authority.token("resource_server");
  const gateway = await startFaultGateway({ authority: authority.url, token });
  const agent = startFaultAgent({
    authority: authority.url,
    accessToken: await authority.token(),
    now: () => Date.now() + offset.ms,
  });
  return { authority, gateway, turn: agent.turns(agent.tasks.thread("thread-1"), gateway.url) };
}

describe.each([
  ["slow", -TEN_MINUTES_MS],
  ["fast", TEN_MINUTES_MS],
])("a client whose clock is ten minutes %s", (_, ms) => {
  test("from the start learns the authority's time with its first registration", async () => {
    const { authority, gateway, turn } = await startWorld({ ms });
    for (const id of ["first", "second", "third"]) {
      expect(await turn(id)).toMatchObject({ status: 200 });
    }
    expect(gateway.accepted()).toEqual(["first", "second", "third"]);
    // Refused for the time, one question at most, and once more.
    expect(authority.count("register_agent")).toBe(1);
    expect(authority.count("register_task")).toBe(2);
    expect(authority.count("whoami")).toBeLessThanOrEqual(1);
    expect(await authority.registry.listTasks()).toHaveLength(1);
  });

  test("since its task was registered is corrected by one question, and signs again once", async () => {
    const offset = { ms: 0 };
    const { authority, gateway, turn } = await startWorld(offset);
    expect(await turn("first")).toMatchObject({ status: 200 });
    offset.ms = ms;
    for (const id of ["second", "third"]) expect(await turn(id)).toMatchObject({ status: 200 });
    const ids = Array.from({ length: 100 }, (_, index) => `turn-${index}`);
    const all = await Promise.all(ids.map((id) => turn(id)));
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    expect(gateway.accepted().slice(0, 3)).toEqual(["first", "second", "third"]);
    expect(gateway.accepted().slice(3).sort()).toEqual([...ids].sort());
    expect(new Set(gateway.acceptedTasks()).size).toBe(1);
    expect(authority.count("register_task")).toBe(1);
    expect(authority.count("whoami")).toBe(1);
  });
});
