import type { IncomingMessage } from "node:http";
import { hideCredentials } from "@countersign/agent-key/redaction";

/**
 * The path of a request as the log and traces name it: as it came, without the query, credentials hidden. Empty for any other form of
 * target: an absolute one may hold a user name and password.
 */
export function pathOf({ url = "" }: IncomingMessage): string {
  return url.startsWith("/") ? hideCredentials(url.split(/[?#]/, 1)[0] ?? "") : "";
}
