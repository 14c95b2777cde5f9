/** Bundles the example with the packed packages, and asks it in workerd: \`run-example.mjs FOLDER JSON\`. */
const RUN = `
import { build } from "esbuild";
import { Miniflare } from "miniflare";
const [folder, json] = process.argv.slice(2);
const options = JSON.parse(json);
const { ask } = await import(folder + "/example-client.mjs");
const { outputFiles } = await build({
  entryPoints: [folder + "/hono-worker.ts"],
  bundle: true,
  format: "esm",
  platform: "node",
  conditions: ["workerd", "worker"],
  external: ["node:*", "cloudflare:*"],
  write: false,
});
const worker = new Miniflare({
  modules: true,
  script: outputFiles[0].text,
  compatibilityDate: "2026-04-01",
  compatibilityFlags: ["nodejs_compat"],
  bindings: { AUTHORITY: options.authority },
});
const origin = "https://worker.example";
const send = (input, init = {}) =>
  worker.dispatchFetch(String(input), { ...init, headers: Object.fromEntries(new Headers(init.headers)) });
try {
  const signed = await ask(options, origin, send);
  const refused = await send(origin + "/v1/hello", { method: "POST" });
  const open = await send(origin + "/healthz");
  console.log(JSON.stringify([signed, [refused.status, (await refused.json()).code], await open.text()]));
} finally {
  await worker.dispose();
}
`;

/** The program of the check, which lies beside miniflare. */
export const RUN_EXAMPLE = { file: "run-example.mjs", source: RUN } as const;

/** What it prints: the agent was named, a request without an assertion refused, and another route left open. */
export const EXAMPLE_ANSWERS = JSON.stringify([
  [200, true, true, "acct-1"],
  [401, "missing"],
  "ok\n",
]);
