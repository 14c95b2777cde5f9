import type { IncomingMessage } from "node:http";
import type { AuthorityContext } from "./authority-context.js";
import { isLoopbackRequest } from "./loopback-request.js";
import { BACKEND_PREFIX } from "./registration-target.js";

/**
 * The URL that a client called, as its signatures cover it: the public URL and the raw target.
 *
 * Without a public URL it is known on this machine's loopback alone: there `Host` is the client's own word for the listener that it
 * reached, and no proxy stands between. Elsewhere `undefined`.
 */
export function targetUriOf(
  { publicUrl }: Pick<AuthorityContext, "publicUrl">,
  request: IncomingMessage,
): string | undefined {
  const target = request.url ?? "";
  if (publicUrl === undefined) {
    if (!isLoopbackRequest(request)) return undefined;
    return new URL(`http://${request.headers.host}`).origin + target;
  }
  // Codex's prefix may be part of the URL that is told, and it is a mount of this server, which no proxy strips.
  const isMount = publicUrl.endsWith(BACKEND_PREFIX) && target.startsWith(`${BACKEND_PREFIX}/`);
  return (isMount ? publicUrl.slice(0, -BACKEND_PREFIX.length) : publicUrl) + target;
}

/** What the client calls this authority by: the target's URL without the path of the route. `undefined` where the URL is not known. */
export function calledAuthorityOf(
  context: Pick<AuthorityContext, "publicUrl">,
  request: IncomingMessage,
  routePath: string,
): string | undefined {
  const target = targetUriOf(context, request)?.split(/[?#]/, 1)[0];
  return target?.endsWith(routePath) ? target.slice(0, -routePath.length) : undefined;
}
