import { createVerifier } from "@countersign/agent-assertion";
import {
  type RemoteDirectoryOptions,
  remoteDirectory,
} from "@countersign/agent-assertion/remote-directory";
import { createVerifyingGateway, type VerifyingGatewayOptions } from "@countersign/assertion-proxy";
import { headerOf, startTestUpstream, type UpstreamHandler } from "@countersign/testing";
import { onTestFinished } from "vitest";

/** What a gateway of a test is made with. */
export interface FaultGatewayOptions {
  readonly authority: string;
  /** Of role `resource_server`. */
  readonly token: string;
  /** What the upstream behind it answers. Default: 200. */
  readonly handler?: UpstreamHandler;
  readonly directory?: Omit<RemoteDirectoryOptions, "token">;
  readonly gateway?: Partial<VerifyingGatewayOptions>;
  /** Its clock, epoch ms. Default `Date.now`. */
  readonly now?: () => number;
}

/** A gateway, and what its upstream accepted. */
export interface FaultGateway {
  readonly url: string;
  /** The id of each turn that the upstream accepted, in order; twice, if it was sent twice. */
  accepted(): string[];
  /** The task that each of them came with, by the gateway's word. */
  acceptedTasks(): (string | undefined)[];
}

/** Starts a gateway that asks the authority for each request, unless it is told otherwise. It ends with the test. */
export async function startFaultGateway(options: FaultGatewayOptions): Promise<FaultGateway> {
  const { authority, token, handler, now } = options;
  const upstream = await startTestUpstream(handler);
  onTestFinished(() => upstream.close());
  const directory = remoteDirectory(authority, {
    ...{ token, now, revocationDelaySeconds: 0 },
    ...options.directory,
  });
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory, now }),
    upstream: upstream.url,
    accounts: ["acct-1"],
    ...options.gateway,
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await gateway.close({ drainMs: 1 });
    await directory.close?.();
  });
  return {
    url,
    accepted: () => upstream.requests.map((request) => request.url.split("/").at(-1) ?? ""),
    acceptedTasks: () => upstream.requests.map((request) => headerOf(request, "x-agent-task-id")),
  };
}
