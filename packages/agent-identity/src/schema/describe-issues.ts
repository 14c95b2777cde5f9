/** What a schema found wrong: a `ZodError`, or what `safeParse` of valibot returns. */
export interface FoundIssues {
  readonly issues: readonly FoundIssue[];
}

/** One thing that is wrong. */
export interface FoundIssue {
  /** Names of members, from the outermost; in valibot each in an object. */
  readonly path?: readonly (PropertyKey | { readonly key: unknown })[] | undefined;
  readonly message: string;
  /** The check that failed, in valibot. */
  readonly type?: string | undefined;
  /** What would be right, in valibot, whose own messages repeat what was received. */
  readonly expected?: string | null | undefined;
  /** Says that it is valibot's. */
  readonly kind?: string | undefined;
}

/** Says where the first three issues are and what is wrong there. Holds no value of the input. */
export function describeIssues({ issues }: FoundIssues): string {
  return issues
    .slice(0, 3)
    .map((issue) => {
      const where = (issue.path ?? [])
        .map((name) => String(typeof name === "object" ? name.key : name))
        .join(".");
      const what = describeIssue(issue);
      return where === "" ? what : `${where}: ${what}`;
    })
    .join("; ");
}

function describeIssue({ message, kind, type, expected }: FoundIssue): string {
  // valibot names the member that is missing as the one that it expected.
  if (message.startsWith("Invalid key: ") && message.endsWith("received undefined"))
    return "missing";
  const isOwn = kind === undefined || !message.startsWith("Invalid ");
  if (isOwn || expected == null) return message;
  return `expected ${type?.endsWith("_length") ? "a length " : ""}${expected}`;
}
