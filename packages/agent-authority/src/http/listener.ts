import type { IncomingMessage } from "node:http";
import type { DocumentOptions } from "./openapi/create-document.js";
import type { ServedOperations } from "./served-operation.js";

/** What one listener serves and its OpenAPI document describes. */
export interface Listener extends DocumentOptions {
  readonly operations: ServedOperations;
  /** Where the operations are mounted; `""` is the root. */
  readonly prefixes: readonly string[];
  /** Looks at every request before anything else does, and throws what it refuses. */
  gate?(request: IncomingMessage): void;
}

/** The paths that a listener is probed by, with `GET`. */
export function probesOf({ prefixes, operations }: Listener): ReadonlySet<string> {
  const probes = Object.values(operations).filter(({ isProbe = false }) => isProbe);
  return new Set(prefixes.flatMap((prefix) => probes.map(({ path }) => prefix + path)));
}
