type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeCase<Rest>}`
    : `_${Lowercase<First>}${SnakeCase<Rest>}`
  : "";

// The protocol has a word for it (§4), the registry a shorter one.
type WireName<Name extends string> = Name extends "publicKey"
  ? "agent_public_key"
  : SnakeCase<Name>;

type OptionalKeys<Info> = {
  [Key in keyof Info]: undefined extends Info[Key] ? Key : never;
}[keyof Info] &
  string;

/** What the registry tells, as the admin API says it: names in snake case, and what is `undefined` left out. */
export type Wire<Info> = {
  -readonly [Key in Exclude<keyof Info & string, OptionalKeys<Info>> as WireName<Key>]: Info[Key];
} & {
  -readonly [Key in OptionalKeys<Info> as WireName<Key>]?: Exclude<Info[Key], undefined>;
};

/** Says something of the registry's as the admin API does. */
export function toWire<Info extends object>(info: Info): Wire<Info> {
  const entries = Object.entries(info).flatMap(([name, value]) =>
    value === undefined ? [] : [[toWireName(name), value] as const],
  );
  return Object.fromEntries(entries) as Wire<Info>;
}

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

// Names alone, so that what may be left out is there to be read: `undefined`.
type NameOf<Entry> = keyof Entry & string;

/** What came over the wire, with the names that the registry uses. */
export type Unwired<Entry> = {
  [Key in NameOf<Entry> as Key extends "agent_public_key"
    ? "publicKey"
    : CamelCase<Key>]: Entry[Key];
};

/** Reads back what {@link toWire} said, once its form was checked. */
export function fromWire<Entry extends object>(entry: Entry): Unwired<Entry> {
  const entries = Object.entries(entry).map(
    ([name, value]) => [toMemberName(name), value] as const,
  );
  return Object.fromEntries(entries) as Unwired<Entry>;
}

function toWireName(name: string): string {
  if (name === "publicKey") return "agent_public_key";
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toMemberName(name: string): string {
  if (name === "agent_public_key") return "publicKey";
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
