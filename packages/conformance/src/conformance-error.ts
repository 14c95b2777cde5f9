import { CountersignError } from "@countersign/agent-key";

/**
 * Vectors that cannot be run at all, which is not the same as vectors that fail.
 *
 * Code: `config_invalid` (a directory or file that cannot be read or holds no vectors, a file that is no vector file of a known form).
 */
export class ConformanceError extends CountersignError {
  static override readonly brandName: string = "ConformanceError";
}
