import type { RequestListener } from "node:http";
import { createRequire } from "node:module";

// By `require`, which takes no types along: those of @hono/node-server need a browser's.
const require = createRequire(import.meta.url);
const { getRequestListener }: { getRequestListener(fetch: unknown): RequestListener } =
  require("@hono/node-server");

/** A Hono app, whatever its environment, as a listener of Node's server. */
export function listenerOf(app: { readonly fetch: unknown }): RequestListener {
  return getRequestListener(app.fetch);
}
