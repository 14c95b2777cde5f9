import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TemporaryDirectory, temporaryDirectory } from "@countersign/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  fingerprintOf,
  HEADER_CACHE_FILE,
  type HeaderCacheKey,
  readCachedHeader,
  threadFileOf,
} from "./header-cache.js";

const LINE = "Authorization: AgentAssertion abc-_1";
const NOW = 1_800_000_000_000;

let folder: TemporaryDirectory;
let home: string;
let key: HeaderCacheKey;

beforeEach(async () => {
  folder = await temporaryDirectory();
  home = join(folder.path, "home");
  await mkdir(join(home, "threads"), { recursive: true, mode: 0o700 });
  await replace(join(home, "credentials.json"), "{}");
  await replace(join(home, "config.toml"), "");
  await replace(threadFileOf(home, "cli"), "{}");
  key = { home, scope: "cli", environment: {} };
  await keep();
});
afterEach(() => folder.remove());

// As every writer of the home does: another file takes the place of the old one.
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function keep(members: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const cached = { fingerprint: fingerprintOf(key), signed_at: NOW / 1000, line: LINE, ...members };
  await replace(join(home, HEADER_CACHE_FILE), JSON.stringify(cached));
}

const read = (changes: Partial<HeaderCacheKey> & { now?: number } = {}) =>
  readCachedHeader({ ...key, now: NOW, ...changes });

test("gives the line again within the same few seconds", () => {
  expect(read()).toBe(LINE);
  expect(read({ now: NOW + 5_999 })).toBe(LINE);
});

describe("nothing is cached", () => {
  test("once the line is older, or of a clock that was put back", () => {
    expect(read({ now: NOW + 6_000 })).toBeUndefined();
    expect(read({ now: NOW - 1 })).toBeUndefined();
  });

  test("for another scope", async () => {
    await replace(threadFileOf(home, "other"), "{}");
    expect(read({ scope: "other" })).toBeUndefined();
  });

  test.each(["COUNTERSIGN_AUTHORITY", "COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY"])(
    "under another %s",
    (name) => {
      expect(read({ environment: { [name]: "https://other.example" } })).toBeUndefined();
      expect(read({ environment: { SOMETHING_ELSE: "1" } })).toBe(LINE);
    },
  );

  test.each(["credentials.json", "config.toml"])(
    "once %s was replaced, even by the same text",
    async (name) => {
      await replace(join(home, name), name === "config.toml" ? "" : "{}");
      expect(read()).toBeUndefined();
    },
  );

  test.each(["credentials.json", "config.toml"])("once %s is gone", async (name) => {
    await rm(join(home, name));
    expect(read()).toBeUndefined();
  });

  test("once the thread's tasks were replaced or forgotten", async () => {
    await replace(threadFileOf(home, "cli"), "{}");
    expect(read()).toBeUndefined();
    await keep();
    expect(read()).toBe(LINE);
    await rm(threadFileOf(home, "cli"));
    expect(read()).toBeUndefined();
  });

  test("in a file or home that others may read", async () => {
    await chmod(join(home, HEADER_CACHE_FILE), 0o640);
    expect(read()).toBeUndefined();
    await chmod(join(home, HEADER_CACHE_FILE), 0o600);
    await chmod(home, 0o750);
    expect(read()).toBeUndefined();
  });

  test("behind a link", async () => {
    await rename(join(home, HEADER_CACHE_FILE), join(folder.path, "elsewhere"));
    await symlink(join(folder.path, "elsewhere"), join(home, HEADER_CACHE_FILE));
    expect(read()).toBeUndefined();
  });

  test("in a home behind a link", async () => {
    const linked = join(folder.path, "linked");
    await symlink(home, linked);
    expect(read({ home: linked })).toBeUndefined();
  });

  test("where the configuration is a link, whose target may change", async () => {
    await rename(join(home, "config.toml"), join(folder.path, "config.toml"));
    await symlink(join(folder.path, "config.toml"), join(home, "config.toml"));
    expect(fingerprintOf(key)).toBeUndefined();
  });

  test.each([
    { what: "a human's token", members: { line: "Authorization: Bearer t0ken" } },
    { what: "two lines", members: { line: `${LINE}\nX-Other: 1` } },
    { what: "a time that is none", members: { signed_at: "now" } },
    { what: "no fingerprint", members: { fingerprint: null } },
  ])("of a file with $what", async ({ members }) => {
    await keep(members);
    expect(read()).toBeUndefined();
  });

  test.each(["", "null", "[]", "{", " ".repeat(20_000)])(
    "of a file that holds %j",
    async (text) => {
      await replace(join(home, HEADER_CACHE_FILE), text);
      expect(read()).toBeUndefined();
    },
  );
});
