import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { wordLogLine } from "./log-line.js";

const stream = new PassThrough() as unknown as NodeJS.WriteStream;

test("words a line for a person", () => {
  const line = JSON.stringify({
    time: "2026-04-15T12:34:56.000Z",
    level: "info",
    msg: "request",
    method: "GET",
    path: "/v1/a b",
    status: 200,
  });
  expect(stripVTControlCharacters(wordLogLine(line, stream))).toBe(
    '12:34:56 info  request method=GET path="/v1/a b" status=200\n',
  );
});

test("shows the stack of an error below, and acts upon nothing that a client sent", () => {
  const line = JSON.stringify({
    time: "2026-04-15T12:34:56.000Z",
    level: "error",
    msg: "failed \u001b[2J\nforged",
    err: { type: "Error", message: "x", stack: "Error: x\n    at y" },
  });
  const worded = wordLogLine(line, stream);
  expect(worded).not.toContain("\u001b[2J");
  expect(worded.split("\n")).toHaveLength(4);
  expect(worded).toContain("\n  Error: x\n      at y\n");
});
