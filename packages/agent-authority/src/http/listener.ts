import type { IncomingMessage } from "node:http";
import type { DocumentOptions } from "./openapi/create-document.js";
import type { ServedOperation, ServedOperations } from "./served-operation.js";

/** What one listener serves and its OpenAPI document describes. */
export interface Listener extends DocumentOptions {
  readonly operations: ServedOperations;
  /** Where the operations are mounted; `""` is the root. */
  readonly prefixes: readonly string[];
  /** Looks at every request before anything else does, and throws what it refuses. */
  gate?(request: IncomingMessage): void;
}

/** The paths of a listener's requests that are not treated as all others are under load. */
export interface PathsByLoad {
  /** With `GET`: never turned away, so that an authority that has much to do is not taken for one that is gone. */
  readonly probes: ReadonlySet<string>;
  /** Turned away before all others. */
  readonly shedFirst: ReadonlySet<string>;
}

export function pathsByLoad({ prefixes, operations }: Listener): PathsByLoad {
  const pathsOf = (isMeant: (operation: ServedOperation) => boolean | undefined) => {
    const meant = Object.values(operations).filter(isMeant);
    return new Set(prefixes.flatMap((prefix) => meant.map(({ path }) => prefix + path)));
  };
  return {
    probes: pathsOf(({ isProbe }) => isProbe),
    shedFirst: pathsOf(({ isShedFirst }) => isShedFirst),
  };
}
