import { inspect } from "node:util";

/**
 * Copies an object so that its secret members are read as before and shown nowhere: not by `console.log`, `util.inspect` and
 * `JSON.stringify`, and not in a copy by spread or `structuredClone`. For objects that are used and never stored.
 *
 * @param names - the members that are secret; one that is absent stays absent
 * @example
 * const auth = hideMembers({ kind: "human", accountId, userId, accessToken }, "accessToken");
 */
export function hideMembers<T extends object>(value: T, ...names: readonly (keyof T)[]): T {
  const copy = { ...value };
  for (const name of names) {
    const secret = value[name];
    if (secret === undefined) continue;
    // An accessor, so that an inspection of hidden members shows that it is there and not what it is.
    Object.defineProperty(copy, name, { get: () => secret, enumerable: false });
  }
  return copy;
}

/**
 * Lets `console.log` and `util.inspect` show the named members of an object alone; of all others they show that they are there. For objects
 * that a program stores on purpose: members, copies and `JSON.stringify` stay as they were.
 *
 * @param names - the members that are not secret
 * @returns the same object
 */
export function showMembers<T extends object>(value: T, ...names: readonly (keyof T)[]): T {
  const shown: ReadonlySet<PropertyKey> = new Set(names);
  const look = () =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, shown.has(name) ? member : "[hidden]"]),
    );
  return Object.defineProperty(value, inspect.custom, { value: look, configurable: true });
}
