import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TemporaryDirectory, temporaryDirectory } from "@countersign/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  findDecision,
  HEADER_FILE,
  type HeaderContext,
  type HeaderDecision,
  readOwnFile,
  stateOf,
  threadFileOf,
  withDecision,
} from "./header-decision.js";

const DECISION: HeaderDecision = {
  authority: "https://authority.example",
  agent_runtime_id: "agent_1",
  task_id: "task_1",
  public_key: "ssh-ed25519 AAAA",
  until: 1_800_000_000_000,
};

let folder: TemporaryDirectory;
let home: string;
let context: HeaderContext;

beforeEach(async () => {
  folder = await temporaryDirectory();
  home = join(folder.path, "home");
  await mkdir(join(home, "threads"), { recursive: true, mode: 0o700 });
  await replace(join(home, "credentials.json"), "{}");
  await replace(join(home, "config.toml"), "");
  await replace(threadFileOf(home, "cli"), "{}");
  context = { home, scope: "cli", environment: {}, version: "1.0.0" };
  await keep(DECISION);
});
afterEach(() => folder.remove());

// As every writer of the home does: another file takes the place of the old one.
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function keep(decision: HeaderDecision, of: HeaderContext = context): Promise<void> {
  const state = stateOf(of);
  if (state === undefined) throw new Error("this home has no state");
  await replace(join(home, HEADER_FILE), withDecision(home, state, decision));
}

function find(changes: Partial<HeaderContext> = {}): HeaderDecision | undefined {
  const state = stateOf({ ...context, ...changes });
  return state && findDecision(home, state);
}

test("a decision is found for the state that it was made for", () => {
  expect(find()).toEqual(DECISION);
  expect(find({ environment: { SOMETHING_ELSE: "1" } })).toEqual(DECISION);
});

test("the decisions of several threads stand beside each other, the last 32 of them", async () => {
  const scopes = Array.from({ length: 33 }, (_, index) => `thread-${index}`);
  for (const scope of scopes) {
    await replace(threadFileOf(home, scope), "{}");
    await keep({ ...DECISION, task_id: scope }, { ...context, scope });
  }
  expect(scopes.map((scope) => find({ scope })?.task_id)).toEqual([undefined, ...scopes.slice(1)]);
});

describe("there is no decision", () => {
  test("for another scope, or another version of the program", async () => {
    await replace(threadFileOf(home, "other"), "{}");
    expect(find({ scope: "other" })).toBeUndefined();
    expect(find({ version: "1.0.1" })).toBeUndefined();
  });

  test.each(["COUNTERSIGN_AUTHORITY", "COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY"])(
    "under another %s",
    (name) => {
      expect(find({ environment: { [name]: "https://other.example" } })).toBeUndefined();
    },
  );

  test.each(["credentials.json", "config.toml"])(
    "once %s was replaced, even by the same text",
    async (name) => {
      await replace(join(home, name), name === "config.toml" ? "" : "{}");
      expect(find()).toBeUndefined();
    },
  );

  test.each(["credentials.json", "config.toml"])("once %s is gone", async (name) => {
    await rm(join(home, name));
    expect(find()).toBeUndefined();
  });

  test("once the thread's tasks were replaced or forgotten", async () => {
    await replace(threadFileOf(home, "cli"), "{}");
    expect(find()).toBeUndefined();
    await keep(DECISION);
    expect(find()).toEqual(DECISION);
    await rm(threadFileOf(home, "cli"));
    expect(find()).toBeUndefined();
  });

  test.each([HEADER_FILE, "credentials.json", "threads", "."])(
    "where others may read %s (G-H8)",
    async (name) => {
      await chmod(join(home, name), 0o750);
      expect(find()).toBeUndefined();
    },
  );

  test("where others may read the thread's tasks", async () => {
    await chmod(threadFileOf(home, "cli"), 0o640);
    expect(find()).toBeUndefined();
  });

  test.each([HEADER_FILE, "credentials.json", "threads"])(
    "behind a link at %s (G-H8)",
    async (name) => {
      await rename(join(home, name), join(folder.path, "elsewhere"));
      await symlink(join(folder.path, "elsewhere"), join(home, name));
      expect(find()).toBeUndefined();
    },
  );

  test("in a home behind a link", async () => {
    const linked = join(folder.path, "linked");
    await symlink(home, linked);
    expect(find({ home: linked })).toBeUndefined();
  });

  test("where the configuration is a link, whose target may change", async () => {
    await rename(join(home, "config.toml"), join(folder.path, "config.toml"));
    await symlink(join(folder.path, "config.toml"), join(home, "config.toml"));
    expect(stateOf(context)).toBeUndefined();
  });

  test.each<{ what: string; members: object }>([
    { what: "without a task", members: { task_id: undefined } },
    { what: "with a number as a key", members: { public_key: 1 } },
    { what: "with a time that is not a number", members: { until: "now" } },
  ])("$what", async ({ members }) => {
    await keep({ ...DECISION, ...members });
    expect(find()).toBeUndefined();
  });

  test.each(["", "null", "[]", "{", '{"version":1}', '{"version":2,"decisions":{}}'])(
    "in a file that holds %j",
    async (text) => {
      await replace(join(home, HEADER_FILE), text);
      expect(find()).toBeUndefined();
      await keep(DECISION);
      expect(find()).toEqual(DECISION);
    },
  );

  test("in a file of more than 64 KiB", async () => {
    await replace(join(home, HEADER_FILE), " ".repeat(65_537));
    expect(find()).toBeUndefined();
  });
});

test("the credentials are read only in the version that the state names", async () => {
  const file = join(home, "credentials.json");
  const before = stateOf(context)?.credentials;
  expect(readOwnFile(file, 100n, before)).toBe("{}");
  await replace(file, "{}");
  expect(readOwnFile(file, 100n, before)).toBeUndefined();
});
