import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ProcessResult,
  runProcess,
  startProcess,
  type TestProcess,
} from "@countersign/testing";
import { type CodexRelease, codexBinary } from "./codex-binary.ts";
import { type CountedAuthority, startCountedAuthority } from "./counted-authority.ts";
import { COUNTERSIGN, startCountersign } from "./countersign.ts";
import { type AuditLine, readAudit } from "./gateway-audit.ts";
import type { Scene } from "./interop-client.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

/** Whose agents are registered. */
export const ACCOUNT = "acct-1";
/** What the upstream asks of the gateway. */
export const UPSTREAM_AUTHORIZATION = "Bearer upstream-key-of-the-gateway";

// Far more than a run takes; one that waits for ever is a failed check, not a check that never ends.
const MAX_RUN_MS = 120_000;

/** An authority, a gateway and an API, and a user of this machine who has `codex` and `countersign` in the PATH. */
export interface CodexStage {
  readonly scene: Scene;
  readonly authority: CountedAuthority;
  readonly gatewayUrl: string;
  readonly upstream: StubApi;
  /** The user's home folder, which `~` is in a script. */
  readonly userHome: string;
  /** Where this user's countersign has its home. */
  readonly countersignHome: string;
  /** What the gateway saw. */
  audited(isWhole?: (lines: readonly AuditLine[]) => boolean): Promise<AuditLine[]>;
  /** Runs a shell script as the user would. Nothing of this process's environment reaches it but the PATH. */
  shell(script: string, env?: Readonly<Record<string, string>>): Promise<ProcessResult>;
  /** Starts a shell script, whose input stays open. */
  startShell(script: string, env?: Readonly<Record<string, string>>): Promise<TestProcess>;
}

/** Starts them. */
export async function startCodexStage(scene: Scene, release: CodexRelease): Promise<CodexStage> {
  const { folder } = scene;
  const authority = await startCountedAuthority(scene);
  const upstream = await startStubApi();
  scene.onEnd(() => upstream.close());
  const auditFile = join(folder, "audit.jsonl");
  const gateway = await startCountersign(
    [
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url],
      ...["--authority", authority.url, "--audit", auditFile, "--revocation-delay", "0s"],
      ...["--upstream-header", "Authorization: env:UPSTREAM_AUTHORIZATION"],
    ],
    { home: join(folder, "gateway"), env: { UPSTREAM_AUTHORIZATION } },
  );
  scene.onEnd(() => gateway.close());

  const userHome = join(folder, "user");
  const countersignHome = join(userHome, ".countersign");
  const cwd = join(userHome, "project");
  await mkdir(cwd, { recursive: true });
  // Outside of a repository Codex asks whether it is trusted there.
  await runProcess("git", ["init", "--quiet", cwd]);
  await writeFile(join(cwd, "authority.toml"), 'generations = ["A", "B", "C"]\n', { mode: 0o600 });
  const options = (env: Readonly<Record<string, string>>) => ({
    cwd,
    env: {
      ...Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined])),
      ...{ HOME: userHome, COUNTERSIGN_DATABASE_URL: authority.database, ...env },
    },
    signal: AbortSignal.timeout(MAX_RUN_MS),
  });
  const PATH = `${await makePrograms(folder, release)}:${process.env.PATH}`;
  return {
    ...{ scene, authority, gatewayUrl: gateway.url, upstream, userHome, countersignHome },
    audited: (isWhole) => readAudit(auditFile, isWhole),
    shell: (script, env) => runProcess("sh", ["-euc", script], options({ PATH, ...env })),
    startShell: (script, env) => startProcess("sh", ["-euc", script], options({ PATH, ...env })),
  };
}

async function makePrograms(folder: string, release: CodexRelease): Promise<string> {
  const programs = join(folder, "programs");
  await mkdir(programs);
  await symlink(codexBinary(release), join(programs, "codex"));
  const [node, cli] = COUNTERSIGN;
  const countersign = join(programs, "countersign");
  await writeFile(countersign, `#!/bin/sh\nexec "${node}" "${cli}" "$@"\n`);
  await chmod(countersign, 0o755);
  return programs;
}
