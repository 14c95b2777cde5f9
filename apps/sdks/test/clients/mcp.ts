import { mcp } from "@countersign/ai";
import { type McpServerSdk, mcpApi } from "@countersign/testing";
import type { SdkClient, SdkSettings } from "../sdk-client.js";

interface TokenProvider {
  readonly redirectUrl: undefined;
  readonly clientMetadata: { client_name: string; redirect_uris: string[] };
  clientInformation(): { client_id: string };
  tokens(): { access_token: string; token_type: string };
  saveTokens(): void;
  redirectToAuthorization(): void;
  saveCodeVerifier(): void;
  codeVerifier(): string;
}

/** What this project uses of the MCP client; `Transport` is what its two classes hand to each other. */
export interface McpClientSdk<Transport> {
  readonly Client: new (info: {
    name: string;
    version: string;
  }) => {
    connect(transport: Transport, call?: { readonly signal?: AbortSignal }): Promise<void>;
    callTool(call: { name: string }): Promise<object>;
    close(): Promise<void>;
  };
  readonly StreamableHTTPClientTransport: new (
    url: URL,
    options: { authProvider: TokenProvider; fetch: SdkSettings["fetch"] },
  ) => Transport;
}

/** The client of one version of MCP's SDK, against a server of the same version. */
export function mcpClients<ClientTransport, ServerTransport>(
  version: string,
  refusedAs: string,
  sdk: McpClientSdk<ClientTransport> & McpServerSdk<ServerTransport>,
): SdkClient[] {
  const call = async (
    path: string,
    { origin, key, fetch, signal }: SdkSettings,
  ): Promise<string> => {
    const url = new URL(path, origin);
    const client = new sdk.Client({ name: "client", version: "1" });
    try {
      const authProvider = tokenProvider(key);
      const transport = new sdk.StreamableHTTPClientTransport(url, { authProvider, fetch });
      await client.connect(transport, signal === undefined ? {} : { signal });
      signal?.addEventListener("abort", () => void client.close());
      return textOf(await client.callTool({ name: "hello" }));
    } finally {
      await client.close();
    }
  };
  return [
    {
      name: `Client with an authProvider of ${version}`,
      api: mcpApi(sdk),
      repeatsAfter: undefined,
      refusedAs,
      keepsAnswer: false,
      missesBrokenStream: true,
      helped: (signedBy, origin) => ({ key: "placeholder", ...mcp(signedBy, origin) }),
      ask: (settings) => call("/mcp/json", settings),
      stream: (settings) => call("/mcp/events", settings),
    },
  ];
}

function tokenProvider(token: string): TokenProvider {
  return {
    redirectUrl: undefined,
    clientMetadata: { client_name: "client", redirect_uris: [] },
    clientInformation: () => ({ client_id: "client-1" }),
    tokens: () => ({ access_token: token, token_type: "Bearer" }),
    saveTokens: () => undefined,
    redirectToAuthorization: () => undefined,
    saveCodeVerifier: () => undefined,
    codeVerifier: () => "",
  };
}

function textOf(result: object): string {
  const parts = "content" in result && Array.isArray(result.content) ? result.content : [];
  return parts.map((part) => part.text).join("");
}
