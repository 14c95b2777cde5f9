import { AgentKey } from "@countersign/agent-key";
import { pkcs8OfSeed } from "@countersign/testing";
import { expectThrow } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgentTaskError } from "./agent-task-error.js";
import {
  createIdempotencyKey,
  createRandomIdempotencyKey,
  parseIdempotencyKey,
} from "./idempotency-key.js";

const key = AgentKey.generate();
const authority = "https://authority.example";

describe("parseIdempotencyKey", () => {
  it("rejects what is not one to 256 visible ASCII characters", () => {
    for (const header of ["", "a b", "a\n", "é", "x".repeat(257), ["a", "b"], ["a"]]) {
      expectThrow(() => parseIdempotencyKey(header), AgentTaskError, "invalid_request");
    }
  });

  it("takes an absent header, and every key that the client makes", () => {
    expect(parseIdempotencyKey(undefined)).toBeUndefined();
    const made = createIdempotencyKey(key, authority, "agent-1", "нить");
    expect(parseIdempotencyKey(made)).toBe(made);
    expect(parseIdempotencyKey(createRandomIdempotencyKey())).toMatch(/^[\w-]{43}$/);
  });
});

describe("createIdempotencyKey", () => {
  it("is the same for the same agent and scope alone", () => {
    const made = createIdempotencyKey(key, authority, "agent-1", "thread-1");
    expect(createIdempotencyKey(key, authority, "agent-1", "thread-1")).toBe(made);
    const others = [
      createIdempotencyKey(AgentKey.generate(), authority, "agent-1", "thread-1"),
      createIdempotencyKey(key, "https://other.example", "agent-1", "thread-1"),
      createIdempotencyKey(key, authority, "agent-2", "thread-1"),
      createIdempotencyKey(key, authority, "agent-1", "thread-2"),
    ];
    expect(new Set([made, ...others]).size).toBe(5);
  });

  it("keeps apart what would be equal when joined", () => {
    const part = fc.string({ unit: fc.constantFrom('"', ",", "a", "\\"), maxLength: 4 });
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        const same = a === c && b === d;
        const equal =
          createIdempotencyKey(key, authority, a, b) === createIdempotencyKey(key, authority, c, d);
        expect(equal).toBe(same);
      }),
    );
  });

  it("pins its bytes, since a change would give every stored-less thread a new task", () => {
    const fixed = AgentKey.importPkcs8(pkcs8OfSeed(new Uint8Array(32).fill(7)));
    expect(createIdempotencyKey(fixed, authority, "agent-1", "thread-1")).toMatchInlineSnapshot(
      `"lAHSROwotJyYpHCuzZYaCTAvGUGileqebbNU-mCmxXo"`,
    );
  });

  it("is never the same when random", () => {
    const made = new Set(Array.from({ length: 100 }, createRandomIdempotencyKey));
    expect(made.size).toBe(100);
  });
});
