import { readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { CountersignError } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import * as entry from "../src/index.js";

// The bare names that a module and the modules it imports, without types, name.
function dependenciesOf(url: URL, seen = new Set<string>()): Set<string> {
  const names = new Set<string>();
  const source = readFileSync(url, "utf8");
  for (const match of source.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)";$/gm)) {
    const name = match[1] ?? "";
    if (!name.startsWith(".")) {
      names.add(name);
      continue;
    }
    const next = new URL(name.replace(/\.js$/, ".ts"), url);
    if (seen.has(next.href)) continue;
    seen.add(next.href);
    for (const inner of dependenciesOf(next, seen)) names.add(inner);
  }
  return names;
}

const entryOf = (name: string) => dependenciesOf(new URL(`../src/${name}.ts`, import.meta.url));

describe("the entries", () => {
  test.each([
    ["index", ["undici", "lru-cache", "zod"]],
    ["sign", ["undici", "lru-cache", "zod"]],
    ["fetch", ["undici", "lru-cache", "zod"]],
    ["undici", ["undici", "lru-cache", "zod"]],
    ["websocket", ["undici", "ws", "lru-cache", "zod"]],
    ["axios", ["axios", "undici", "lru-cache", "zod"]],
    ["node", ["undici", "lru-cache", "zod", "express", "fastify", "hono"]],
    ["express", ["undici", "lru-cache", "zod", "express", "fastify", "hono"]],
    ["fastify", ["undici", "lru-cache", "zod", "express", "fastify", "hono"]],
    ["hono", ["undici", "lru-cache", "zod", "express", "fastify", "hono"]],
    ["koa", ["undici", "lru-cache", "zod", "express", "fastify", "hono", "koa"]],
    ["nestjs", ["undici", "lru-cache", "zod", "express", "fastify", "@nestjs/common", "rxjs"]],
    ["ws", ["undici", "lru-cache", "zod", "express", "fastify", "hono", "ws"]],
    ["handler", ["undici", "lru-cache", "zod", "express", "fastify", "hono"]],
    ["remote-directory", ["undici", "zod"]],
  ])("%s loads none of %j", (name, heavy) => {
    const names = entryOf(name);
    expect(names).toContain("@countersign/agent-key");
    for (const dependency of heavy) expect(names).not.toContain(dependency);
  });

  test("installing them installs nothing but agent-key", () => {
    const { dependencies } = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.url), "utf8"),
    );
    expect(Object.keys(dependencies)).toEqual(["@countersign/agent-key"]);
  });
});

// A module and all that it loads of this package and of agent-key, which is read as it was built.
function modulesOf(url: URL, seen = new Set<string>()): Set<string> {
  if (seen.has(url.href)) return seen;
  seen.add(url.href);
  const source = readFileSync(url, "utf8");
  for (const match of source.matchAll(/^(?:import|export) (?!type )[^;]*? from "([^"]+)";$/gm)) {
    const name = match[1] ?? "";
    const isOwn = name.startsWith(".");
    const next = url.pathname.endsWith(".ts") ? name.replace(/\.js$/, ".ts") : name;
    if (isOwn) modulesOf(new URL(next, url), seen);
    else if (!isBuiltin(name)) modulesOf(new URL(import.meta.resolve(name)), seen);
  }
  return seen;
}

test("sign loads at most 17 modules, of 61,000 bytes with their comments", () => {
  const modules = [...modulesOf(new URL("../src/sign.ts", import.meta.url))];
  const bytes = modules.reduce((sum, href) => sum + statSync(new URL(href)).size, 0);
  expect(modules.length).toBeLessThanOrEqual(17);
  expect(bytes).toBeGreaterThan(30_000);
  expect(bytes).toBeLessThanOrEqual(61_000);
});

describe("every error class", () => {
  const classes = Object.values(entry).filter(
    (value): value is typeof CountersignError =>
      typeof value === "function" && value.prototype instanceof CountersignError,
  );

  test("is found", () => {
    expect(classes.map((errorClass) => errorClass.name).sort()).toEqual([
      "AgentAssertionError",
      "AssertionRejected",
      "TooManyLookups",
    ]);
  });

  test.each(classes)("%o has a code and a guard of its own", (errorClass) => {
    const error = new errorClass("malformed", "a message", { hint: "a hint" });
    expect(errorClass.is(error)).toBe(true);
    expect(errorClass.is(new CountersignError("malformed", "a message"))).toBe(false);
    expect(error).toMatchObject({ name: errorClass.name, code: "malformed", hint: "a hint" });
  });
});
