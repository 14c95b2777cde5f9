import { CountersignError } from "@countersign/agent-key";

/** One vector, ready to be run. */
export interface VectorCheck {
  /** What it is about, as its file says. */
  readonly name: string;
  /** What {@link VectorCheck.run} must answer, to the byte. */
  readonly expected: string;
  /** Runs it: the answer is JSON of what came out, or the bare code of the refusal, so that neither can be taken for the other. */
  readonly run: () => string | Promise<string>;
}

/** Writes what came out, or must come out, in one form. */
export function outcome(members: Readonly<Record<string, string | number | boolean>>): string {
  return JSON.stringify(members);
}

/** Runs a check and answers as {@link VectorCheck.run} does, also for what throws. */
export async function runCheck(check: VectorCheck): Promise<string> {
  try {
    return await check.run();
  } catch (error) {
    if (CountersignError.is(error)) return error.code;
    // Anything else is a defect of the implementation under test: it fails this vector and no other.
    return `unexpected ${error instanceof Error ? error.name : typeof error}`;
  }
}

/** Names a vector that has no name of its own by its list, place and content. */
export function nameOf(
  list: string,
  index: number,
  vector: { readonly name?: string | undefined },
  content?: unknown,
): string {
  if (vector.name !== undefined) return `${list}: ${vector.name}`;
  const shown = content === undefined ? "" : ` ${JSON.stringify(content)}`;
  return `${list} ${index + 1}${shown.length > 80 ? `${shown.slice(0, 79)}…` : shown}`;
}
