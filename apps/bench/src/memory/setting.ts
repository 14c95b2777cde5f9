import { text } from "node:stream/consumers";

/** What the processes of one run share, given to each on its standard input. */
export interface Setting {
  readonly upstream: string;
  /** The agent's key, base64 of PKCS#8. Made for this run. */
  readonly pkcs8: string;
  readonly clientToken: string;
}

export const AUTHORITY = "https://authority.example";
export const AGENT = { agentRuntimeId: "agent_1", taskId: "task_1" } as const;
export const ACCOUNT = "acct-1";

export async function readSetting(): Promise<Setting> {
  return JSON.parse(await text(process.stdin)) as Setting;
}
