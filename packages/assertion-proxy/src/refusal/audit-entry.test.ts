import { expect, test } from "vitest";
import { type AuditEntry, type AuditStart, writeAudit } from "./audit-entry.js";

const ORIGIN = { requestId: "req-1", address: undefined, userAgent: undefined } as const;
const END = { endedAt: 1, status: 400, code: undefined, identity: undefined };
const BYTES = { bytesIn: 0, bytesOut: 0 };

function entryOf(url: string, origin: Partial<AuditStart["origin"]> = {}): AuditEntry | undefined {
  const entries: AuditEntry[] = [];
  const audit = (entry: AuditEntry) => void entries.push(entry);
  const start = {
    ...{ startedAt: 0, method: "GET", url },
    origin: { ...ORIGIN, traceparent: undefined, ...origin },
  };
  writeAudit({ audit }, start, { ...END, ...BYTES });
  return entries[0];
}

test.each([
  ["/v1/x?secret=1#part", "/v1/x"],
  ["*", "*"],
  ["http://user:password@api.example/x", ""],
  ["api.example:443", ""],
  ["", ""],
])("the path of %j is kept as %j", (url, path) => {
  expect(entryOf(url)).toMatchObject({ path });
});

test("a user agent is bounded, and neither steers a terminal nor holds a credential", () => {
  const userAgent = `agent/1 cs_human_${"s3cr3t".repeat(4)} \u009b2J ${"x".repeat(300)}`;
  const shown = entryOf("/", { userAgent })?.user_agent ?? "";
  expect(shown).toHaveLength(256);
  expect(shown).toMatch(/^agent\/1 \[hidden\] \\u009b2J x+$/);
});

test.each([
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true],
  ["00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01", false],
  ["what else is said", false],
])("the traceparent %j is kept: %j", (traceparent, isKept) => {
  expect(entryOf("/", { traceparent })?.traceparent).toBe(isKept ? traceparent : undefined);
});
