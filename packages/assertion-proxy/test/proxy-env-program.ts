// Starts the proxy for child processes and prints its environment. Argument: the upstream. With a second argument it stays.
import { proxyEnv } from "../src/signing/proxy-env.js";

const [, , upstream = "", stays] = process.argv;
const source = {
  credential: async () => ({ kind: "none", reason: "feature_off" }) as const,
  refused: async () => undefined,
  accepted: () => {},
};
const { env } = await proxyEnv(source, { upstream, env: {} });
console.log(JSON.stringify(env));
if (stays !== undefined) process.stdin.resume();
