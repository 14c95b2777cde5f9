import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessResult } from "@countersign/testing";
import { CODEX_B, codexBinary } from "./codex-binary.ts";
import { codexExec } from "./codex-process.ts";
import { countersign, startCountersign } from "./countersign.ts";
import { EXAMPLES } from "./examples.ts";
import { type AuditLine, readAudit } from "./gateway-audit.ts";
import type { Listed } from "./gateway-chain.ts";
import type { Scene } from "./interop-client.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

/** Whose agents the identity JWTs are for. */
export const ACCOUNT = "acct-1";
/** What the upstream asks of the gateway. */
export const UPSTREAM_AUTHORIZATION = "Bearer upstream-key-of-the-gateway";

/** Codex of generation B with the configuration that docs/clients.md shows, and the authority, gateway and API that it goes to. */
export interface IdentityJwtCodex {
  readonly authorityUrl: string;
  readonly upstream: StubApi;
  /** Runs `countersign authority …` on the authority's database. */
  authority(...args: string[]): Promise<string>;
  /** What the authority registered, oldest first. */
  list(what: "agents" | "tasks"): Promise<Listed[]>;
  /** Makes an identity JWT. */
  issue(): Promise<IssuedToken>;
  /** What the gateway saw. */
  audited(): Promise<AuditLine[]>;
  /** The turns among it, so many at least. */
  turns(count?: number): Promise<AuditLine[]>;
  /** Runs `codex exec` with this identity JWT in its environment. */
  exec(token: string, ...args: string[]): Promise<ProcessResult>;
}

/** An identity JWT as the command prints it with `--json`. */
export interface IssuedToken {
  readonly identity_token: string;
  readonly agent_runtime_id: string;
  readonly kid: string;
}

/** Starts authority, gateway and upstream by the commands that a user would give, and makes the home. */
export async function startIdentityJwtCodex(scene: Scene): Promise<IdentityJwtCodex> {
  const { folder } = scene;
  const operator = join(folder, "operator");
  const auditFile = join(folder, "audit.jsonl");
  const config = join(folder, "authority.toml");
  await writeFile(config, 'generations = ["A", "B", "C"]\n', { mode: 0o600 });
  const start = async (args: string[], home: string, env: Record<string, string> = {}) => {
    const server = await startCountersign(args, { home, env });
    scene.onEnd(() => server.close());
    return server.url;
  };
  const upstream = await startStubApi();
  scene.onEnd(() => upstream.close());
  const serve = ["authority", "serve", "--listen", "127.0.0.1:0", "--config", config];
  const authorityUrl = await start(serve, operator);
  const gatewayUrl = await start(
    [
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url],
      ...["--authority", authorityUrl, "--audit", auditFile, "--revocation-delay", "0s"],
      ...["--upstream-header", "Authorization: env:UPSTREAM_AUTHORIZATION"],
    ],
    join(folder, "gateway"),
    { UPSTREAM_AUTHORIZATION },
  );
  const home = await makeHome(scene, authorityUrl, gatewayUrl);
  const authority = (...args: string[]) => countersign(["authority", ...args], { home: operator });
  const isTurn = ({ path }: AuditLine) => path.endsWith("/responses");
  return {
    authorityUrl,
    upstream,
    authority,
    list: async (what) => JSON.parse(await authority(what, "list", "--sort", "oldest", "--json")),
    issue: async () => {
      const who = ["--account", ACCOUNT, "--user", "user-1", "--config", config];
      return JSON.parse(await authority("identity", "issue", ...who, "--json"));
    },
    audited: () => readAudit(auditFile),
    turns: async (count = 0) =>
      (await readAudit(auditFile, (lines) => lines.filter(isTurn).length >= count)).filter(isTurn),
    exec: (token, ...args) => {
      const env = {
        CODEX_ACCESS_TOKEN: token,
        CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL: authorityUrl,
      };
      const work = join(folder, "work");
      return codexExec({ binary: codexBinary(CODEX_B), home, work, env }, args);
    },
  };
}

async function makeHome(scene: Scene, authorityUrl: string, gatewayUrl: string): Promise<string> {
  const home = join(scene.folder, "codex-home");
  await mkdir(home);
  const example = await readFile(join(EXAMPLES, "codex", "codex-identity-jwt.toml"), "utf8");
  const text = example
    .replace("http://127.0.0.1:4600", authorityUrl)
    .replace("http://127.0.0.1:4700", gatewayUrl);
  await writeFile(join(home, "config.toml"), text);
  return home;
}
