import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@countersign/testing";
import { onTestFinished } from "vitest";

/** The path of lighttpd on this machine; `undefined`: it is not installed. */
export const LIGHTTPD = findProgram("lighttpd");

// `env` writes one line for each variable; no value in these tests has a line break.
const SCRIPT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n";

/**
 * Starts lighttpd as an upstream on a free loopback port. `/env.cgi` is a CGI program that answers its environment, one `NAME=value` line
 * for each variable. Each connection gets a lighttpd of its own, which serves one request, so that no port has to be agreed on beforehand.
 */
export async function startLighttpd(program: string): Promise<{ readonly url: string }> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-lighttpd-"));
  writeFileSync(join(folder, "env.cgi"), SCRIPT, { mode: 0o755 });
  const config = join(folder, "lighttpd.conf");
  writeFileSync(
    config,
    `server.document-root = "${folder}"\nserver.modules = ("mod_cgi")\ncgi.assign = (".cgi" => "")\n`,
  );
  const children: ChildProcess[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(program, ["-1", "-f", config], { stdio: [socket, "ignore", "inherit"] });
    children.push(child);
    // The child has the connection.
    child.once("spawn", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    for (const child of children) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
