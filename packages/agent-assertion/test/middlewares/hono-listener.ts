import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import type { Hono } from "hono";

// By `require`, which takes no types along: those of @hono/node-server need a browser's.
const require = createRequire(import.meta.url);
const { getRequestListener }: { getRequestListener(fetch: unknown): RequestListener } =
  require("@hono/node-server");

/** A Hono app as a listener of Node's server. */
export function listenerOf(app: Hono): RequestListener {
  return getRequestListener(app.fetch);
}
