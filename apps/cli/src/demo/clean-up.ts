/** What has to be undone, in the opposite order of its doing. */
export interface CleanUp extends AsyncDisposable {
  /** Adds a step. */
  add(undo: () => unknown): void;
}

/** Makes an empty {@link CleanUp}. Every step is done, even after one that failed; the first failure is thrown at the end. */
export function createCleanUp(): CleanUp {
  const steps: (() => unknown)[] = [];
  return {
    add(undo) {
      steps.push(undo);
    },
    async [Symbol.asyncDispose]() {
      const failures: unknown[] = [];
      for (const undo of steps.splice(0).reverse()) {
        try {
          await undo();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
