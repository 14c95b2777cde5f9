import { spawnSync } from "node:child_process";

/** Runs a program to its end, without the options that this process was given for Node. Next.js reports nothing to its vendor. */
export function run(command: string, args: readonly string[], cwd: string) {
  return spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1" },
    timeout: 120_000,
  });
}

/** Runs a program that must succeed, and returns its output. */
export function mustRun(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = run(command, args, cwd);
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} failed: ${error?.message ?? `${stdout}\n${stderr}`}`,
    );
  }
  return stdout;
}
