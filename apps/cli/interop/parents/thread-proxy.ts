import { connectAgent } from "@countersign/agent";
import { proxyEnv } from "@countersign/assertion-proxy";

/** What a parent process is given, as JSON. */
export interface ThreadProxySettings {
  readonly authority: string;
  /** The human's. */
  readonly accessToken: string;
  /** The agent's. */
  readonly home: string;
  readonly upstream: string;
}

/** How the line begins with which a parent says, on standard error, what environment its children have. */
export const ENVIRONMENT_LINE = "environment of the children: ";

/**
 * Starts the proxy of one thread, and gives the environment of its children. Neither the proxy nor the agent is closed: they end with this
 * process.
 */
export async function threadProxyEnv(settings: string): Promise<Record<string, string>> {
  // The children end with this process, also where it is ended.
  process.once("SIGTERM", () => process.exit(1));
  const { upstream, ...agent }: ThreadProxySettings = JSON.parse(settings);
  const thread = connectAgent({ ...agent, origins: [upstream] }).thread("thread-1");
  const { env } = await proxyEnv(thread, { upstream, env: process.env });
  console.error(`${ENVIRONMENT_LINE}${JSON.stringify(env)}`);
  return { ...env };
}
