import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mustRun } from "./run-program.ts";

/** An authority from the packed command, with a human's token and a verifier's. */
export interface PackedAuthority extends AsyncDisposable {
  readonly url: string;
  /** As the command's `--database` takes it. */
  readonly database: string;
  readonly accessToken: string;
  readonly serverToken: string;
}

/** Starts the command that is installed in a folder, on a database there. */
export async function startPackedAuthority(node: string, folder: string): Promise<PackedAuthority> {
  const command = join(folder, "node_modules/@countersign/cli/dist/bin.js");
  const database = `sqlite:${join(folder, "authority.db")}`;
  const onDatabase = ["--database", database];
  const createToken = (role: string) => {
    const of = ["--role", role, "--user", "user-1", "--account", "acct-1"];
    const args = [command, "authority", "token", "create", ...of, ...onDatabase];
    return mustRun(node, args, folder).trim();
  };
  const accessToken = createToken("human");
  const serverToken = createToken("resource_server");
  const args = [
    command,
    "authority",
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--log-level",
    "error",
    ...onDatabase,
  ];
  const serving = spawn(node, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(serving, "exit");
  for await (const line of createInterface({ input: serving.stdout })) {
    const url = /^listening on (\S+)$/.exec(line)?.[1];
    if (url === undefined) continue;
    const close = async () => {
      serving.kill();
      await exited;
    };
    return { url, database, accessToken, serverToken, [Symbol.asyncDispose]: close };
  }
  throw new Error("the packed authority did not start");
}
