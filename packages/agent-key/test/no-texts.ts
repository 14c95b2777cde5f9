/** Values that are no text, for parsers of texts: also those that cannot be made one. */
export const NO_TEXTS: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a number", 1_776_272_889],
  ["a bigint", 1n],
  ["a symbol", Symbol("text")],
  ["a function", () => "2026-04-15T17:08:09Z"],
  ["a list", ["2026-04-15T17:08:09Z"]],
  ["an object without a prototype", Object.create(null)],
  [
    "an object whose toString throws",
    {
      toString: () => {
        throw new Error("no text");
      },
    },
  ],
  ["an object whose toString is a valid text", { toString: () => "2026-04-15T17:08:09Z" }],
];
