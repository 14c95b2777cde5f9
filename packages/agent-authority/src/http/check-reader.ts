import { authenticate } from "../registry/authenticate.js";
import type { TokenPrincipal } from "../registry/principal.js";
import type { Instant } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { isLoopbackRequest } from "./loopback-request.js";
import { readBearerToken, readHeaderLines } from "./read-headers.js";
import { noteHuman } from "./refusal-record.js";
import type { ServedRequest } from "./served-operation.js";

/**
 * Admits a resource server to the directory, by its token (protocol D-4), or without one where the directory is open (D-5).
 *
 * A token that is sent is checked everywhere: a wrong one must not work by chance because the caller is near.
 *
 * @returns whose token it was; `undefined` for a caller of an open directory
 */
export async function checkReader(
  context: AuthorityContext,
  request: ServedRequest,
  instant: Instant,
): Promise<TokenPrincipal | undefined> {
  const headers = readHeaderLines(request.raw);
  const isOpen =
    context.publicUrl === undefined &&
    headers.authorization === undefined &&
    isLoopbackRequest(request.raw);
  if (isOpen) return undefined;
  const token = readBearerToken(headers);
  const reader = await authenticate(context.store, token, "resource_server", instant);
  noteHuman(request, reader);
  return reader;
}
