import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runProcess, startTestUpstream, temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";
import { BIN, startCountersign } from "./command-line.js";

const README = await readFile(new URL("../README.md", import.meta.url), "utf8");
const [, servers = "", agent = ""] = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (it) => it[1],
);

test("the README's example works as it stands, on ports of its own", async () => {
  await using folder = await temporaryDirectory();
  await using upstream = await startTestUpstream();
  const options = { home: join(folder.path, "home") };
  const [serve = "", gateway = ""] = servers.trim().split("\n");
  const argsOf = (line: string) => line.replace(/^countersign /, "").split(" ");
  await using authority = await startCountersign(argsOf(serve.replace(":4600", ":0")), options);
  const [, authorityUrl = ""] = await authority.waitForLine(/^listening on (\S+)$/);
  const line = gateway
    .replace(":4700", ":0")
    .replace("http://127.0.0.1:4600", authorityUrl)
    .replace("http://127.0.0.1:8080", upstream.url);
  await using running = await startCountersign(argsOf(line), options);
  const [, gatewayUrl = ""] = await running.waitForLine(/^listening on (\S+)$/);
  const script = agent
    .replaceAll("http://127.0.0.1:4600", authorityUrl)
    .replaceAll("http://127.0.0.1:4700", gatewayUrl);
  const countersign = `countersign() { "${process.execPath}" "${BIN}" "$@"; }`;
  const shell = ["-euo", "pipefail", "-c", `${countersign}\n${script}`];
  const result = await runProcess("bash", shell, { env: { COUNTERSIGN_HOME: options.home } });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  expect(result.stdout).toContain('{"ok":true}valid\n');
  expect(result.stdout).toMatch(/task_\S+ +agent_\S+ +acct-1 +user-1 +active/);
  expect(upstream.requests).toHaveLength(1);
});
