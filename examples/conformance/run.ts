import { ConformanceError, runConformance, VECTORS_DIRECTORY } from "@countersign/conformance";

export async function run(directory: string | URL = VECTORS_DIRECTORY): Promise<string> {
  try {
    const { passed, failed } = await runConformance(directory, {
      onResult({ passed, file, name, expected, actual }) {
        if (!passed) console.error(`${file}: ${name}: expected ${expected}, got ${actual}`);
      },
    });
    return `${passed} passed, ${failed} failed`;
  } catch (error) {
    if (ConformanceError.is(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
}
