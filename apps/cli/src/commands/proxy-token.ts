import type { Run } from "../config/run.js";
import { ensureProxyToken } from "../home/proxy-token.js";

/** `proxy token`: prints what clients of the signing proxy present, alone; made where there is none. */
export async function proxyToken(run: Run): Promise<void> {
  const { token, file } = await ensureProxyToken(run.home, run.signal);
  run.output.result({ token, file }, () => token);
}
