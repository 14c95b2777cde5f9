import { hostname, userInfo } from "node:os";
import type { AuditOrigin } from "@countersign/agent-authority";

/** Who changes a database by a command, as its audit log names it: `operator:USER@HOST`, the user that the process runs as and its machine. */
export function operatorOrigin(): AuditOrigin {
  return { actor: `operator:${userName()}@${hostname()}` };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a number that no user has.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
