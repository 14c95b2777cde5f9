type NullKeys<Row> = { [Key in keyof Row]: null extends Row[Key] ? Key : never }[keyof Row];

/** A row as the wire has it: what is null there is left out. */
export type WithoutNulls<Row> = Omit<Row, NullKeys<Row>> & {
  [Key in NullKeys<Row>]?: Exclude<Row[Key], null>;
};

/** Leaves out of a row what is null in it. */
export function withoutNulls<Row extends object>(row: Row): WithoutNulls<Row> {
  const entries = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as WithoutNulls<Row>;
}
