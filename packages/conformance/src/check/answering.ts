import type { Fetch } from "@countersign/agent-key/platform-fetch";

/** A server that gives this answer to each request. */
export function answering(body: unknown): Fetch {
  return async () => Response.json(body);
}
