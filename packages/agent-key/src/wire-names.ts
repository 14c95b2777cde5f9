type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeCase<Rest>}`
    : `_${Lowercase<First>}${SnakeCase<Rest>}`
  : "";

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type OptionalKeys<Members> = {
  [Key in keyof Members]: undefined extends Members[Key] ? Key : never;
}[keyof Members] &
  string;

/** An object with the names of the wire: in snake case, and what is `undefined` left out. */
export type WireNamed<Members> = {
  -readonly [Key in Exclude<
    keyof Members & string,
    OptionalKeys<Members>
  > as SnakeCase<Key>]: Members[Key];
} & {
  -readonly [Key in OptionalKeys<Members> as SnakeCase<Key>]?: Exclude<Members[Key], undefined>;
};

// Names alone, so that what may be left out is there to be read: `undefined`.
type NameOf<Entry> = keyof Entry & string;

/** An object of the wire with the names of TypeScript: in camel case. */
export type MemberNamed<Entry> = { [Key in NameOf<Entry> as CamelCase<Key>]: Entry[Key] };

/**
 * Returns an object's own members with the names that the wire has for them: `account_id` for `accountId`. Values stay as they are, and
 * members that are `undefined` are left out.
 */
export function toWireNames<Members extends object>(members: Members): WireNamed<Members> {
  const entries = Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : [[wireName(name), value] as const],
  );
  return Object.fromEntries(entries) as WireNamed<Members>;
}

/** Reverses {@link toWireNames}: `accountId` for `account_id`. */
export function fromWireNames<Entry extends object>(entry: Entry): MemberNamed<Entry> {
  const entries = Object.entries(entry).map(([name, value]) => [memberName(name), value] as const);
  return Object.fromEntries(entries) as MemberNamed<Entry>;
}

function wireName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function memberName(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
