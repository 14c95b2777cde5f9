import type { Dispatcher } from "undici";
import type { Fields } from "../authorizer.js";

type Headers = NonNullable<Dispatcher.DispatchOptions["headers"]>;
type HeaderRecord = Record<string, unknown>;

/** The header fields of a request as a record; `undefined` for a form that undici will refuse. */
export function headerRecord(headers: Headers | null | undefined): HeaderRecord | undefined {
  const record: HeaderRecord = {};
  if (headers === undefined || headers === null) return record;
  if (Array.isArray(headers)) {
    if (headers.length % 2 !== 0) return undefined;
    for (let i = 0; i < headers.length; i += 2) {
      if (!add(record, headers[i], headers[i + 1])) return undefined;
    }
    return record;
  }
  if (!hasIterator(headers)) return { ...headers };
  for (const pair of headers) {
    if (!Array.isArray(pair) || pair.length !== 2 || !add(record, pair[0], pair[1]))
      return undefined;
  }
  return record;
}

/** The value of a field, whatever the case of its name. */
export function fieldOf(record: HeaderRecord, name: string): unknown {
  const own = Object.keys(record).find((key) => key.toLowerCase() === name);
  return own === undefined ? undefined : record[own];
}

/**
 * The fields of a request together with those that are made when it is written: a retry below this interceptor writes the same options
 * again, and must not send an old assertion.
 */
export function signedHeaders(own: HeaderRecord, make: () => Fields): Headers {
  let made: HeaderRecord = {};
  const headers: HeaderRecord = {};
  const define = (name: string, get: () => unknown) =>
    Object.defineProperty(headers, name, { get, enumerable: true, configurable: true });
  // Read first, since it stands first.
  define("authorization", () => {
    made = Object.fromEntries(make());
    return made.authorization;
  });
  for (const name of ["content-digest", "signature-input", "signature"]) {
    define(name, () => made[name] ?? fieldOf(own, name));
  }
  for (const [name, value] of Object.entries(own)) {
    if (!Object.hasOwn(headers, name.toLowerCase())) headers[name] = value;
  }
  return headers as Headers;
}

function add(record: HeaderRecord, name: unknown, value: unknown): boolean {
  if (typeof name !== "string") return false;
  if (!Object.hasOwn(record, name)) record[name] = value;
  else record[name] = [record[name], value].flat();
  return true;
}

// Decides as undici does: an iterator that comes from `Object.prototype` does not make an object a list of fields.
function hasIterator(headers: object): headers is Iterable<unknown> {
  if (Object.hasOwn(headers, Symbol.iterator)) return true;
  const prototype: unknown = Object.getPrototypeOf(headers);
  return prototype !== null && prototype !== Object.prototype && Symbol.iterator in headers;
}
