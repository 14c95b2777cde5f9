import { createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { createVerifyingGateway, type VerifyingGateway } from "@countersign/assertion-proxy";

export async function serve(authorityToken: string, apiKey: string): Promise<VerifyingGateway> {
  const directory = remoteDirectory("https://authority.example", { token: authorityToken });
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory }),
    upstream: "https://api.example/v1",
    upstreamHeaders: { authorization: `Bearer ${apiKey}` },
    accounts: ["acct-1"],
    audit: (entry) => console.log(JSON.stringify(entry)),
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 4700 });
  console.log(`listening on ${url}`);
  process.once("SIGTERM", () => void gateway.close({ drainMs: 10_000 }));
  return gateway;
}
