import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

// oidc-provider with its default store, in memory: client credentials, the client proved by a signed assertion.
const [publicKey = "", clientId = ""] = process.argv.slice(2);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "EdDSA",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        jwks: { keys: [JSON.parse(publicKey)] },
      },
    ],
    clientAuthMethods: ["private_key_jwt"],
    enabledJWA: { clientAuthSigningAlgValues: ["EdDSA"] },
    cookies: { keys: ["of-this-measurement"] },
    ttl: { ClientCredentials: 600 },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  });
  const serve = provider.callback();
  server.on("request", (request, response) => void serve(request, response));
  console.log(issuer);
});
