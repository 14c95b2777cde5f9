import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { createAuthority, openStore, type Registry } from "@countersign/agent-authority";
import { createVerifyingGateway } from "@countersign/assertion-proxy";
import { CliError } from "../text/cli-error.js";
import { type AuditLog, createAuditLog } from "./audit-log.js";
import type { CleanUp } from "./clean-up.js";
import { type RecordedAuthority, recordAuthority } from "./recorded-authority.js";
import { type StubApi, startStubApi } from "./stub-api.js";

/** Everything that the demo's agent meets, on loopback. */
export interface Stage {
  /** A folder for the agent's home; removed in the end. */
  readonly directory: string;
  readonly authority: RecordedAuthority;
  readonly registry: Registry;
  readonly gatewayUrl: string;
  readonly audit: AuditLog;
  readonly api: StubApi;
  /** The API's own credential, which the gateway adds and the agent never has. */
  readonly apiCredential: string;
}

/** Builds the {@link Stage}: an authority on SQLite, an API, and a verifying gateway before it. */
export async function buildStage(cleanUp: CleanUp): Promise<Stage> {
  const directory = await mkdtemp(join(temporaryFolder(), "countersign-demo-"));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  const store = await openStore(`sqlite:${join(directory, "authority.db")}`);
  cleanUp.add(() => store.close());
  const inner = await createAuthority({ store });
  cleanUp.add(() => inner.close());
  const authority = await recordAuthority(inner);
  cleanUp.add(() => authority[Symbol.asyncDispose]());
  const api = await startStubApi();
  cleanUp.add(() => api[Symbol.asyncDispose]());
  const apiCredential = `Bearer ${randomBytes(16).toString("hex")}`;
  // Asks the authority for every request, so that the demo need not wait until a revocation is noticed.
  const agents = remoteDirectory(authority.url, {
    revocationDelaySeconds: 0,
    staleIfErrorSeconds: 0,
  });
  cleanUp.add(() => agents.close?.());
  const audit = createAuditLog();
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory: agents }),
    upstream: api.url,
    upstreamHeaders: { authorization: apiCredential },
    accounts: "any",
    audit: (entry) => audit.append(entry),
  });
  cleanUp.add(() => gateway.close({ drainMs: 0 }));
  const { url: gatewayUrl } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  const { registry } = inner;
  return { directory, authority, registry, gatewayUrl, audit, api, apiCredential };
}

function temporaryFolder(): string {
  const path = tmpdir();
  if (isAbsolute(path)) return path;
  // The demo's credentials would be in the working directory while it runs.
  throw new CliError("config_invalid", `TMPDIR must be an absolute path, got ${path}`, {
    hint: "set it to an absolute path, or remove it",
  });
}
