import type { IncomingMessage } from "node:http";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import type { ServedOperation } from "../served-operation.js";

const DETAIL =
  "nothing was refreshed: this authority makes no token from another one. For a new token run countersign codex export --force, " +
  "for a task that has ended countersign codex repair";

/**
 * `POST /codex/token-refresh`, which `CODEX_REFRESH_TOKEN_URL_OVERRIDE` leads Codex to, and which gives no token (protocol §13.3).
 *
 * Codex asks for a new token after each 401. It never shows the text of a refused refresh, but tells its user to sign in again or names the
 * status. After an answer without a token it sends its request once more, and then shows why the gateway refused it.
 *
 * The answer is sent before the body is looked at, since that holds a refresh token. Of a body within the limit the server drops the bytes;
 * after the answer to any other it closes the connection.
 */
export const refreshTokenOperation: ServedOperation = {
  method: "post",
  path: "/codex/token-refresh",
  summary: "Answers Codex's request for a new token without one. The body is not read.",
  answer: { description: "No token.", schema: PUBLIC_SCHEMAS.TokenRefresh },
  audited: undefined,
  addressLimit: "all_requests",
  isAnsweredUnread: true,
  serve:
    ({ limits }) =>
    async ({ raw }, reply) => {
      if (!isShort(raw, limits.maxBodyBytes)) reply.header("connection", "close");
      return reply.send({ detail: DETAIL });
    },
};

function isShort({ headers }: IncomingMessage, maxBodyBytes: number): boolean {
  if (headers["transfer-encoding"] !== undefined) return false;
  return Number(headers["content-length"] ?? 0) <= maxBodyBytes;
}
