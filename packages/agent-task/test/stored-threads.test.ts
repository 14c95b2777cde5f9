import { startTestAuthority, temporaryDirectory } from "@countersign/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "./processes/run-source.js";

type Did = Record<"register" | "resume" | "poolTasks" | "turn" | "forget", readonly string[]>;

const FEW = 10;
const MANY = 3000;

async function countAmong(stored: number): Promise<Did> {
  await using home = await temporaryDirectory();
  await using authority = await startTestAuthority();
  const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const args = [authority.url, token, home.path, `${stored}`];
  const { code, stderr, stdout } = await runProgram("count-file-calls.ts", args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  // One for the agent, one for the task: nothing for the thread that is resumed.
  expect(authority.requests).toHaveLength(2);
  return JSON.parse(stdout);
}

describe("among many stored threads", () => {
  let few: Did;
  let many: Did;
  beforeAll(async () => {
    [few, many] = [await countAmong(FEW), await countAmong(MANY)];
  });

  it("one that is resumed opens its own file, and nothing else: no lock, no fsync, no task of the thread pool", () => {
    expect(many.resume).toEqual(["open /THREAD.json"]);
    expect(many.poolTasks).toEqual([]);
    expect(many.turn).toEqual([]);
  });

  it("one that is registered or forgotten takes its own lock, and never searches the folder", () => {
    for (const did of [many.register, many.forget]) {
      expect(did.filter((call) => call.startsWith("mkdir /THREAD.lock."))).toHaveLength(1);
      expect(did.filter((call) => !/^\w+ \/(THREAD|$)/.test(call))).toEqual([]);
      expect(did).not.toContain("readdir /");
    }
  });

  it("one that is registered is synced once, with its folder; one that is forgotten is not", () => {
    const synced = many.register.filter((call) => call.startsWith("fsync "));
    expect(synced).toEqual(["fsync /THREAD.lock/THREAD.json.WORD.tmp", "fsync /"]);
    expect(many.forget.filter((call) => call.startsWith("fsync "))).toEqual([]);
  });

  it("each costs what it costs among few", () => {
    expect(many).toEqual(few);
  });
});
