import { join } from "node:path";
import { countersign, startServer } from "./countersign.ts";
import { type AuditLine, readAudit } from "./gateway-audit.ts";
import type { Scene } from "./interop-client.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

/** Whose agents are registered. */
export const ACCOUNT = "acct-1";
/** What the upstream asks of the gateway. */
export const UPSTREAM_AUTHORIZATION = "Bearer upstream-key-of-the-gateway";

/** One agent or task as the authority lists it. */
export interface Listed {
  readonly agent_runtime_id: string;
  readonly task_id: string;
}

/** A gateway before an API, with an authority, each started by the command that a user would give. */
export interface GatewayChain {
  readonly authorityUrl: string;
  readonly gatewayUrl: string;
  readonly upstream: StubApi;
  /** The human's. */
  readonly accessToken: string;
  /** What the gateway saw, so many requests at least. */
  audited(count?: number): Promise<AuditLine[]>;
  /** What the authority registered. */
  agents(): Promise<Listed[]>;
  tasks(): Promise<Listed[]>;
}

/** Starts them. */
export async function startGatewayChain(scene: Scene): Promise<GatewayChain> {
  const operator = join(scene.folder, "operator");
  const auditFile = join(scene.folder, "audit.jsonl");
  const list = async (what: string): Promise<Listed[]> =>
    JSON.parse(
      await countersign(["authority", what, "list", "--sort", "oldest", "--json"], {
        home: operator,
      }),
    );

  const upstream = await startStubApi();
  scene.onEnd(() => upstream.close());
  const authorityUrl = await startServer(scene, ["authority", "serve", "--listen", "127.0.0.1:0"], {
    home: operator,
  });
  const token = ["authority", "token", "create", "--account", ACCOUNT, "--user", "user-1"];
  const accessToken = (await countersign(token, { home: operator })).trim();
  const gatewayUrl = await startServer(
    scene,
    [
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url],
      ...["--authority", authorityUrl, "--audit", auditFile],
      ...["--upstream-header", "Authorization: env:UPSTREAM_AUTHORIZATION"],
    ],
    { home: join(scene.folder, "gateway"), env: { UPSTREAM_AUTHORIZATION } },
  );
  return {
    ...{ authorityUrl, gatewayUrl, upstream, accessToken },
    audited: (count = 0) => readAudit(auditFile, (lines) => lines.length >= count),
    agents: () => list("agents"),
    tasks: () => list("tasks"),
  };
}
