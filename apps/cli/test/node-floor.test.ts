import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runProcess } from "@countersign/testing";
import { describe, expect, test } from "vitest";

const ENTRIES = join(import.meta.dirname, "processes/entries.mjs");
const PACKAGES = join(import.meta.dirname, "../../../packages");
const BIN = join(import.meta.dirname, "../dist/bin.js");
const REFUSAL = /^config_invalid: Countersign needs Node 22\.19 or newer; this is \d/;

/** What an older Node cannot run: undici, `node:sqlite`, or newer functions of the language. */
const NEED_NEWER = [
  ...["axios", "fetch", "remote-directory", "undici", "websocket"].map(
    (subpath) => `@countersign/agent-assertion/${subpath}`,
  ),
  "@countersign/agent-authority",
  "@countersign/agent-authority/oidc",
  "@countersign/agent-authority/remote-registry",
  "@countersign/agent-identity",
  "@countersign/agent-identity/authority-client",
];

/** The entries of the packages that are published. */
function publicEntries(): string[] {
  return readdirSync(PACKAGES).flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(join(PACKAGES, folder, "package.json"), "utf8"));
    if (manifest.private === true) return [];
    const subpaths = Object.keys(manifest.exports).filter((key) => !key.endsWith(".json"));
    return subpaths.map((subpath) => manifest.name + subpath.slice(1));
  });
}

/** What the program did with each entry under a Node. */
async function outcomesUnder(node: string): Promise<Readonly<Record<string, string>>> {
  const { stdout, stderr, code } = await runProcess(node, [ENTRIES], {
    env: { NODE_OPTIONS: undefined },
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** The first Node of `PATH` that is older than the floor. */
function findOlderNode(): string | undefined {
  const paths = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"));
  return paths.filter(existsSync).find((path) => {
    const version = execFileSync(path, ["--version"], { encoding: "utf8" });
    const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
    return major >= 18 && (major < 22 || (major === 22 && minor < 19));
  });
}

const olderNode = findOlderNode();

test("under this Node every public entry works", async () => {
  const outcomes = await outcomesUnder(process.execPath);
  expect(Object.keys(outcomes).sort()).toEqual(publicEntries().sort());
  expect(Object.entries(outcomes).filter(([, outcome]) => outcome !== "works")).toEqual([]);
});

// A machine need not have one: where there is none, nothing is left out of what a change must pass.
if (olderNode === undefined) {
  console.warn("what an older Node is told was not looked at: PATH has no Node from 18 to 22.18");
} else {
  describe("under an older Node", () => underOlderNode(olderNode));
}

function underOlderNode(node: string): void {
  test("every public entry works, or names the Node that it needs: so do those that send or keep anything", async () => {
    const outcomes = await outcomesUnder(node);
    const refused = Object.keys(outcomes).filter((entry) => REFUSAL.test(outcomes[entry] ?? ""));
    expect(refused).toEqual(expect.arrayContaining(NEED_NEWER));
    const others = Object.entries(outcomes).filter(([entry]) => !refused.includes(entry));
    expect(others.filter(([, outcome]) => outcome !== "works")).toEqual([]);
  });

  test("the command names the Node that it needs", async () => {
    const { code, stderr } = await runProcess(node, [BIN, "status"]);
    expect(stderr).toMatch(
      /^error: countersign needs Node 22\.19 or newer; this is .*\(config_invalid\)/,
    );
    expect(code).toBe(2);
  });
}
