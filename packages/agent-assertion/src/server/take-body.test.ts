import { once } from "node:events";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { faultsOfWording } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../../test/expect-rejection.js";
import { takeBody } from "./take-body.js";
import { UnreadableBody } from "./unreadable-body.js";

const bytes = Buffer.from("body");

/** A request whose body a test pushes. */
class Incoming extends Readable {
  complete = false;
  override _read(): void {}

  /** As Node's parser ends a message. */
  finish(): void {
    this.complete = true;
    this.push(null);
  }
}

function take(request: Readable, length?: number) {
  return takeBody(request, { length, maxBytes: 100, signal: undefined });
}

async function codeOf(run: () => unknown): Promise<string> {
  const error = await failureOf(run);
  if (!UnreadableBody.is(error)) return String(error);
  expect(faultsOfWording(error)).toEqual([]);
  return error.code;
}

describe("takeBody", () => {
  test("is not disturbed by a signal that fires once the body is back", async () => {
    const abort = new AbortController();
    const request = new Incoming();
    const { signal } = abort;
    const taken = takeBody(request, { length: undefined, maxBytes: 100, signal });
    request.push(bytes);
    request.finish();
    await taken;
    abort.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(String(await buffer(request))).toBe("body");
  });

  test.each<[string, (request: Incoming) => unknown]>([
    ["was read in part", (request) => request.push(bytes) && request.read()],
    ["flows to somebody", (request) => request.on("data", () => {})],
    ["is made text", (request) => request.setEncoding("utf8")],
  ])("refuses a body that %s", async (_, spoil) => {
    const request = new Incoming();
    spoil(request);
    expect(await codeOf(() => take(request))).toBe("config_invalid");
  });

  test("refuses a request that is over, before and while it waits", async () => {
    const over = new Incoming();
    over.destroy();
    await once(over, "close");
    expect(await codeOf(() => take(over))).toBe("cancelled");
    const waiting = new Incoming();
    const body = codeOf(() => take(waiting));
    waiting.destroy();
    expect(await body).toBe("cancelled");
    const broken = new Incoming();
    const rest = codeOf(() => take(broken));
    broken.destroy(new Error("reset"));
    expect(await rest).toBe("cancelled");
  });

  test("refuses a body whose end was told before it was known", async () => {
    const request = new Incoming();
    request.push(bytes);
    request.push(null);
    const error = await failureOf(() => take(request));
    expect(UnreadableBody.is(error) && error.status).toBe(411);
  });

  test.each<[string, (request: Incoming) => void]>([
    ["before it was asked for", () => {}],
    ["while it was waited for", (request) => setImmediate(() => request.finish())],
  ])("leaves the end of an empty body that came %s to be told", async (when, finish) => {
    const request = new Incoming();
    if (when.startsWith("before")) request.finish();
    finish(request);
    expect((await take(request)).length).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    const ended = once(request, "end");
    request.resume();
    await ended;
  });

  test("puts a body back that came in pieces, with a length and without", async () => {
    for (const length of [8, undefined]) {
      const request = new Incoming();
      const taken = take(request, length);
      request.push(bytes);
      setImmediate(() => {
        request.push(bytes);
        setImmediate(() => request.finish());
      });
      expect(String(await taken)).toBe("bodybody");
      expect(String(await buffer(request))).toBe("bodybody");
    }
  });
});
