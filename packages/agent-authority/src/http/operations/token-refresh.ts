import type { IncomingMessage } from "node:http";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import type { ServedOperation } from "../served-operation.js";

const DETAIL =
  "nothing was refreshed: this authority makes no token from another one. For a new token run countersign codex export --force, " +
  "for a task that has ended countersign codex repair";

/**
 * `POST /codex/token-refresh` answers without a token (protocol §13.3). `CODEX_REFRESH_TOKEN_URL_OVERRIDE` makes Codex send its refresh here.
 *
 * Codex asks for a new token after each 401. If the refresh is refused, Codex does not show the text of the refusal: it asks its user to sign
 * in again, or shows the status. After an answer without a token, Codex sends its request once more, and then shows why the gateway refused it.
 *
 * The answer is sent before the body is read, because the body holds a refresh token. The server drops the bytes of a body within the limit.
 * If the body is longer or of unknown length, the server closes the connection after the answer.
 */
export const refreshTokenOperation: ServedOperation = {
  method: "post",
  path: "/codex/token-refresh",
  summary: "Answers Codex's request for a new token without one.",
  description:
    "The body is not read, because it holds a refresh token. Codex then shows why its request was refused (protocol §13.3).",
  answer: { description: "No token was made.", schema: PUBLIC_SCHEMAS.TokenRefresh },
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
