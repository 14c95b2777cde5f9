import { join } from "node:path";
import type { ProcessResult } from "@countersign/testing";
import type { Checks } from "./checks.ts";
import { CODEX_A, codexBinary } from "./codex-binary.ts";
import { codexExec } from "./codex-process.ts";
import { type CountedAuthority, startCountedAuthority } from "./counted-authority.ts";
import { countersign, startCountersign } from "./countersign.ts";
import type { Scene } from "./interop-client.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

/** Whose login is exported. */
export const ACCOUNT = "acct-1";
export const USER = "user-1";
/** What the upstream asks of the gateway. */
export const UPSTREAM_AUTHORIZATION = "Bearer upstream-key-of-the-gateway";

/** Codex of generation A in a home that `countersign codex export` wrote, with the authority and the gateway that it is for. */
export interface ExportedCodex {
  readonly authority: CountedAuthority;
  readonly upstream: StubApi;
  readonly auditFile: string;
  /** The human's. */
  readonly accessToken: string;
  /** Codex's configuration. */
  readonly configFile: string;
  /** Runs `codex exec`. */
  exec(...args: string[]): Promise<ProcessResult>;
}

/** Starts authority, gateway and upstream, and exports the home. */
export async function startExportedCodex(scene: Scene): Promise<ExportedCodex> {
  const { folder } = scene;
  const authority = await startCountedAuthority(scene);
  const upstream = await startStubApi();
  scene.onEnd(() => upstream.close());
  const auditFile = join(folder, "audit.jsonl");
  const home = join(folder, "home");
  const gateway = await startCountersign(
    [
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url],
      ...["--authority", authority.url, "--audit", auditFile, "--revocation-delay", "0s"],
      ...["--upstream-header", "Authorization: env:UPSTREAM_AUTHORIZATION"],
    ],
    { home, env: { UPSTREAM_AUTHORIZATION } },
  );
  scene.onEnd(() => gateway.close());
  const { token: accessToken } = await authority.registry.createAccessToken({
    accountId: ACCOUNT,
    userId: USER,
    role: "human",
    ttlSeconds: 3600,
  });
  const codexHome = join(folder, "codex-home");
  await countersign(
    [
      ...["codex", "export", "--codex-home", codexHome, "--authority", authority.url],
      ...["--gateway", `${gateway.url}/v1`, "--account", ACCOUNT, "--user", USER, "--token-stdin"],
    ],
    { home, input: accessToken },
  );
  const codex = {
    binary: codexBinary(CODEX_A),
    home: codexHome,
    work: join(folder, "work"),
  };
  return {
    ...{ authority, upstream, auditFile, accessToken },
    configFile: join(codexHome, "config.toml"),
    exec: (...args) => codexExec(codex, args),
  };
}

/** What one run must come to. */
export interface ExpectedRun {
  readonly exit: number;
  /** Requests for biscuits, agents and tasks at the authority, and turns at the upstream, by HTTP or by WebSocket. */
  readonly counts: readonly [number, number, number, number];
}

/** Runs `codex exec` once and checks how it ended and what it asked for. */
export async function checkRun(
  checks: Checks,
  { authority, upstream, exec }: ExportedCodex,
  name: string,
  args: readonly string[],
  { exit, counts }: ExpectedRun,
): Promise<ProcessResult> {
  checks.say(`${name}: codex exec ${args.join(" ")}`);
  const seen = () => {
    const { biscuits, agents, tasks } = authority.counts();
    const turns = upstream.requests.filter(({ path }) => path.endsWith("/responses")).length;
    const messages = upstream.sockets.flatMap((socket) => socket.messages).length;
    return [biscuits, agents, tasks, turns + messages];
  };
  const before = seen();
  const result = await exec(...args);
  const after = seen();
  checks.equal(`${name}: exit code`, result.code, exit);
  if (result.code !== exit) checks.say(`${name}: ${result.stdout}\n${result.stderr}`);
  checks.equal(
    `${name}: requests for biscuits, agents, tasks and turns`,
    after.map((count, index) => count - (before[index] ?? 0)),
    counts,
  );
  return result;
}
