import { expect, test } from "vitest";
import { type AuditEntry, writeAudit } from "./audit-entry.js";

test.each([
  ["/v1/x?secret=1#part", "/v1/x"],
  ["*", "*"],
  ["http://user:password@api.example/x", ""],
  ["api.example:443", ""],
  ["", ""],
])("the path of %j is kept as %j", (url, path) => {
  const entries: AuditEntry[] = [];
  const end = { endedAt: 1, status: 400, code: undefined, identity: undefined };
  const audit = (entry: AuditEntry) => void entries.push(entry);
  writeAudit({ audit }, { startedAt: 0, method: "GET", url }, end);
  expect(entries).toMatchObject([{ path }]);
});
