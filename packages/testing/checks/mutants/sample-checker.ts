// A plugin of Stryker, which has no sample of its own: it refuses, before any test runs, the mutants that are not in the sample.
import { createHash } from "node:crypto";

/** How Stryker describes a mutant to a checker. */
interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly location: unknown;
  readonly mutatorName: string;
  readonly replacement?: string;
}

/** The field of Stryker's configuration that this plugin reads. */
export interface SampleOptions {
  readonly sample: { readonly seed: string; readonly oneIn: number; readonly folder: string };
}

function createSampleChecker({ sample }: SampleOptions) {
  return {
    init: async () => {},
    group: async (mutants: readonly Mutant[]) => [mutants.map(({ id }) => id)],
    check: async (mutants: readonly Mutant[]) =>
      Object.fromEntries(mutants.map((mutant) => [mutant.id, look(mutant, sample)])),
  };
}
createSampleChecker.inject = ["options"] as const;

// By what the mutant is, not by its number: the same seed gives the same sample also after other files changed.
function look(mutant: Mutant, { seed, oneIn, folder }: SampleOptions["sample"]) {
  const { fileName, location, mutatorName, replacement } = mutant;
  const file = fileName.startsWith(folder) ? fileName.slice(folder.length) : fileName;
  const text = JSON.stringify([seed, file, location, mutatorName, replacement]);
  const isIn = createHash("sha256").update(text).digest().readUInt32BE() % oneIn === 0;
  return isIn ? { status: "passed" } : { status: "compileError", reason: "not in the sample" };
}

export const strykerPlugins = [{ kind: "Checker", name: "sample", factory: createSampleChecker }];
