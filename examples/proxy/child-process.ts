import { spawn } from "node:child_process";
import { once } from "node:events";
import type { CredentialSource } from "@countersign/agent-key";
import { proxyEnv } from "@countersign/assertion-proxy";

/** `thread`: one of `connectAgent` or of an `AgentTaskManager`. */
export async function runAgent(
  thread: CredentialSource | { readonly credentials: CredentialSource },
  upstream: string,
  command: string,
  args: readonly string[],
): Promise<void> {
  await using proxy = await proxyEnv(thread, { upstream, env: process.env });
  const child = spawn(command, [...args], { env: proxy.env, stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
}
