import { resolve } from "node:path";
import { AgentAuthorityError } from "../agent-authority-error.js";

/** Where a database lies. */
export type StoreLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly path: string };

/** Takes a database URL apart; the path of a file comes back absolute. Throws `config_invalid`. */
export function parseStoreUrl(url: string): StoreLocation {
  if (/^postgres(?:ql)?:/i.test(url)) {
    // Not repeated in the message: such a URL usually holds a password.
    throw invalid("PostgreSQL is not served yet");
  }
  if (!url.startsWith("sqlite:")) throw invalid("the database URL has an unknown form");
  const path = url.slice("sqlite:".length);
  if (path === ":memory:") return { kind: "memory" };
  if (path === "" || path.includes("\0")) throw invalid("the database URL names no file");
  if (/^\/\/[^/]/.test(path)) throw invalid("a database file cannot be on another host");
  return { kind: "file", path: resolve(path) };
}

function invalid(message: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", message, {
    hint: "use sqlite:FILE or sqlite::memory:",
  });
}
