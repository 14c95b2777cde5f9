import { execFileSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";
import { createRun } from "../config/run.js";
import { parseUpstreamHeaders } from "./upstream-header-option.js";

test("reads files again, and a pipe once: it would keep its reader waiting", async () => {
  await using folder = await temporaryDirectory();
  const pipe = join(folder.path, "pipe");
  const file = join(folder.path, "file");
  execFileSync("mkfifo", [pipe]);
  await writeFile(file, "first");
  const run = createRun({ enable: [], disable: [] }, new AbortController().signal);
  const read = parseUpstreamHeaders(run, [`X-Pipe: file:${pipe}`, `X-File: file:${file}`]);
  const [headers] = await Promise.all([read(), writeFile(pipe, "piped")]);
  expect(headers).toEqual({ "X-Pipe": "piped", "X-File": "first" });
  await writeFile(file, "second");
  expect(await read()).toEqual({ "X-Pipe": "piped", "X-File": "second" });
});

test("goes on reading a file again that was away at one look", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "file");
  await writeFile(file, "first");
  const run = createRun({ enable: [], disable: [] }, new AbortController().signal);
  const read = parseUpstreamHeaders(run, [`X-File: file:${file}`]);
  await read();
  await rm(file);
  // As if the new file came between the look and the reading.
  execFileSync("mkfifo", [file]);
  const [headers] = await Promise.all([read(), writeFile(file, "second")]);
  expect(headers).toEqual({ "X-File": "second" });
  await rm(file);
  await writeFile(file, "third");
  expect(await read()).toEqual({ "X-File": "third" });
});

test("says when the first of its tokens ends, as they were read last", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "file");
  const jwt = (exp: number) =>
    `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.c2ln`;
  const run = createRun({ enable: [], disable: [] }, new AbortController().signal);
  const other = join(folder.path, "other");
  await writeFile(other, jwt(2_000));
  const read = parseUpstreamHeaders(run, [`Authorization: file:${file}`, `X-Key: file:${other}`]);
  expect(read.endsAt()).toBeUndefined();
  await writeFile(file, `Bearer ${jwt(1_000)}`);
  await read();
  expect(read.endsAt()).toBe(1_000_000);
  await writeFile(file, "an opaque key");
  await read();
  expect(read.endsAt()).toBe(2_000_000);
});
