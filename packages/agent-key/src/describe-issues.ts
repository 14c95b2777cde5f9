/** What a schema found wrong, for instance a `ZodError`. */
export interface FoundIssues {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

/** Says where the first three issues are and what is wrong there. Holds no value of the input. */
export function describeIssues({ issues }: FoundIssues): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => {
      const where = path.map(String).join(".");
      return where === "" ? message : `${where}: ${message}`;
    })
    .join("; ");
}
