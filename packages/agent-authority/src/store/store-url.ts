import { resolve } from "node:path";
import { AgentAuthorityError } from "../agent-authority-error.js";

/** Where a database lies. */
export type StoreLocation = SqliteLocation | { readonly kind: "postgres"; readonly url: string };

/** Where an SQLite database lies. */
export type SqliteLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly path: string };

/** Takes a database URL apart; the path of a file comes back absolute. Throws `config_invalid`, without repeating a password. */
export function parseStoreUrl(url: string): StoreLocation {
  if (typeof url !== "string") throw invalid("url must be a text, the URL of a database");
  if (/^postgres(?:ql)?:/i.test(url)) return parsePostgresUrl(url);
  if (!url.startsWith("sqlite:")) throw invalid("the database URL has an unknown form");
  const path = url.slice("sqlite:".length);
  if (path === ":memory:") return { kind: "memory" };
  if (path === "" || path.includes("\0")) throw invalid("the database URL names no file");
  if (/^\/\/[^/]/.test(path)) throw invalid("a database file cannot be on another host");
  return { kind: "file", path: resolve(path) };
}

/** A database URL for people: without its password and its parameters. */
export function describeStoreUrl(url: string): string {
  const written = withoutEmptyHost(url);
  if (!/^postgres(?:ql)?:/i.test(url) || !URL.canParse(written)) return url;
  const described = new URL(written);
  described.password = "";
  described.search = "";
  return described.href;
}

function parsePostgresUrl(written: string): StoreLocation {
  if (namesSeveralHosts(written)) {
    throw new AgentAuthorityError("config_invalid", "the PostgreSQL URL names several hosts", {
      hint: "name one: the primary, or what stands before both, such as a pooler",
    });
  }
  const url = withoutEmptyHost(written);
  if (!URL.canParse(url)) throw invalid("the PostgreSQL URL cannot be parsed");
  if (new URL(url).pathname.length < 2) throw invalid("the PostgreSQL URL names no database");
  return { kind: "postgres", url };
}

// libpq would try one after the other; the driver takes them for one name.
function namesSeveralHosts(url: string): boolean {
  const authority = /^[a-z]+:\/\/(?:[^/?#]*@)?([^/?#]*)/i.exec(url)?.[1] ?? "";
  const parameter = /[?&]host=([^&#]*)/.exec(url)?.[1] ?? "";
  return /,|%2c/i.test(authority) || /,|%2c/i.test(parameter);
}

// `postgres://user@/database?host=/run/postgresql`, as libpq writes a socket, is no URL by WHATWG: a user needs a host to stand before.
function withoutEmptyHost(url: string): string {
  const match = /^([a-z]+:\/\/)([^/?#@:]*)(?::([^/?#@]*))?@(\/[^?#]*)(?:\?([^#]*))?/i.exec(url);
  if (match === null) return url;
  const [, scheme, user = "", password, path, parameters] = match;
  const search = [
    ...(parameters === undefined ? [] : [parameters]),
    `user=${asParameter(user)}`,
    ...(password === undefined ? [] : [`password=${asParameter(password)}`]),
  ];
  return `${scheme}${path}?${search.join("&")}`;
}

// Encodes what stands for itself in userinfo, and not among parameters.
function asParameter(userinfo: string): string {
  return userinfo.replace(/%(?![0-9a-f]{2})|[+&]/gi, encodeURIComponent);
}

function invalid(message: string): AgentAuthorityError {
  return new AgentAuthorityError("config_invalid", message, {
    hint: "use sqlite:FILE, sqlite::memory: or postgres://USER@HOST:PORT/DATABASE",
  });
}
