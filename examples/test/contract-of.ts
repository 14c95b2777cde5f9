import { startSource } from "@countersign/testing/vitest";

/** Runs an example that is a test for Node's runner, and reads what that counted. `passed` is undefined if no test passed. */
export async function contractOf(program: string) {
  const running = await startSource(new URL(program, import.meta.url));
  const { code, stdout } = await running.exited;
  const count = (word: string) => {
    const [, digits] = new RegExp(`^\\S+ ${word} (\\d+)$`, "m").exec(stdout) ?? [];
    return digits === undefined ? undefined : Number(digits);
  };
  const passed = count("pass");
  const outcome = { code, passed: passed === 0 ? undefined : passed, failed: count("fail") };
  return { stdout, outcome };
}
