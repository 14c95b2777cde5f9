const PARAMETER = /\{(\w+)\}/g;

/** The parameters of a path, each a text. */
export type ParametersOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParametersOf<Rest>
  : unknown;

/** The names of a path's parameters, in their order. */
export function parametersOf(path: string): readonly string[] {
  return [...path.matchAll(PARAMETER)].map(([, name = ""]) => name);
}

/** Puts an operation's input where it is sent: the parameters in the path, and what is left over in the query or the body. */
export function fillPath(
  path: string,
  input: object,
): { readonly path: string; readonly rest: Readonly<Record<string, unknown>> } {
  const rest: Record<string, unknown> = { ...input };
  const filled = path.replace(PARAMETER, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  return { path: filled, rest };
}
