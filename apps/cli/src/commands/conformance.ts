import { escapeText } from "@countersign/agent-key/escaping";
import { runConformance } from "@countersign/conformance";
import type { Run } from "../config/run.js";

/** `conformance run DIR`: a line for each vector that differs, then the counts; exit 1 when one differs. */
export async function runVectors(
  run: Run,
  _options: unknown,
  [directory = ""]: readonly string[],
): Promise<number> {
  const { passed, failed, results } = await runConformance(directory);
  run.output.result({ passed, failed, results }, () => [
    ...results
      .filter((result) => !result.passed)
      .map(({ file, name, expected, actual }) =>
        escapeText(`${file}: ${name}: expected ${expected}, got ${actual}`),
      ),
    `${passed} passed, ${failed} failed`,
  ]);
  return failed > 0 ? 1 : 0;
}
