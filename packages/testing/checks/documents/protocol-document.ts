import { linesOutsideBlocks } from "./documents.ts";

/** What `docs/protocol.md` has that others cite. */
export interface ProtocolDocument {
  /** The numbers of its sections, for instance `5.4`. */
  readonly sections: ReadonlySet<string>;
  /** The ids of its rules, for instance `V-4`, in their order. */
  readonly rules: readonly string[];
}

/** Reads the section numbers and the rule ids of the protocol. */
export function readProtocol(text: string): ProtocolDocument {
  const lines = linesOutsideBlocks(text);
  return {
    sections: new Set(lines.flatMap((line) => /^#{2,3} (\d+(?:\.\d+)?)\b/.exec(line)?.[1] ?? [])),
    rules: lines.flatMap((line) => /^- \*\*([A-Z]-\d+)\*\* /.exec(line)?.[1] ?? []),
  };
}
