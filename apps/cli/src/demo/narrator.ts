import type { Run } from "../config/run.js";
import { CliError } from "../text/cli-error.js";

/** What one step of the demo prints and verifies. */
export interface Telling {
  /** Prints what was sent or seen. */
  say(line: string): void;
  /** Verifies one statement against what was recorded. The demo ends if it does not hold. */
  verify(statement: string, holds: boolean): void;
}

/** Prints the steps of the demo and keeps what was verified. */
export interface Narrator {
  step(title: string, perform: (telling: Telling) => Promise<void>): Promise<void>;
  /** Ends the demo: lists each verified step. */
  end(): void;
}

interface VerifiedStep {
  readonly title: string;
  readonly verified: readonly string[];
}

/** Makes the {@link Narrator}, which prints on stdout: step by step, or with `--json` one document at the end. */
export function createNarrator(run: Run): Narrator {
  const { output } = run;
  const steps: VerifiedStep[] = [];
  const tell = (line: string): void => {
    if (!output.json) output.stdout.write(`${line}\n`);
  };
  return {
    async step(title, perform) {
      const verified: string[] = [];
      tell(`\n${output.style("bold", `${steps.length + 1}. ${title}`)}`);
      await perform({
        say: (line) => tell(`   ${line}`),
        verify(statement, holds) {
          if (!holds) {
            throw new CliError(
              "internal",
              `step ${steps.length + 1} (${title}): not so: ${statement}`,
              {
                hint: "this is a defect of countersign; please report it",
              },
            );
          }
          verified.push(statement);
          tell(`   ${output.style("green", "✓")} ${statement}`);
        },
      });
      run.signal.throwIfAborted();
      steps.push({ title, verified });
    },
    end() {
      output.result({ verified: steps.length, steps }, () => [
        "",
        `All ${steps.length} steps verified:`,
        ...steps.map(({ title }, index) => `${output.style("green", "✓")} ${index + 1}. ${title}`),
      ]);
    },
  };
}
