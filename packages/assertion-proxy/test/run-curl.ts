import { spawn } from "node:child_process";
import { once } from "node:events";

/** What curl got. */
export interface CurlResult {
  /** 0 if curl succeeded. Otherwise see its manual: 55 and 56 are a connection that broke. */
  readonly exitCode: number;
  /** The last status; 0: none. */
  readonly status: number;
  readonly body: string;
  /** The output of `--verbose`. */
  readonly log: string;
}

/** Runs the curl of this machine. @param input - for its standard input, which `--data-binary @-` reads */
export async function runCurl(args: readonly string[], input?: Buffer): Promise<CurlResult> {
  const all = ["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"];
  const child = spawn("curl", [...all, ...args], { stdio: "pipe" });
  // It stops reading once it has its answer.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  let output = "";
  let log = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const [exitCode] = await once(child, "close");
  const end = output.lastIndexOf("\n");
  return { exitCode, status: Number(output.slice(end + 1)), body: output.slice(0, end), log };
}

/** Whether curl is installed. */
export const hasCurl = await runCurl(["--version"]).then(
  () => true,
  () => false,
);
