import { ensureProxyToken } from "../proxy-token.js";
import type { Run } from "../run.js";

/** `proxy token`: prints what clients of the signing proxy present, alone; made where there is none. */
export async function proxyToken(run: Run): Promise<void> {
  const { token, file } = await ensureProxyToken(run.home, run.signal);
  run.output.result({ token, file }, () => token);
}
