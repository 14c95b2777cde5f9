const PLAIN = /^[\w@%+=:,./-]+$/;

/** Quotes an argument of a command that a message names, so that a POSIX shell takes it as one word. */
export function quoteArgument(argument: string): string {
  return PLAIN.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
