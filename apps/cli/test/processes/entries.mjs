/**
 * What a program does first with each public entry of the packages, by the entry's name. Under the Node that the packages need all of it works.
 *
 * An entry that cannot be loaded is the outcome of its use alone. Plain JavaScript, since an older Node strips no types.
 */
const authority = "http://127.0.0.1:1";
const origins = ["https://api.example"];
const source = { credential() {}, refused() {}, accepted() {} };
const verifier = { verify() {} };
const started = { start() {} };

const USES = {
  "@countersign/agent": ({ connectAgent }) =>
    connectAgent({ authority, origins, accessToken: "token", home: "/nowhere" }).close(),
  "@countersign/agent-assertion": ({ createVerifier, memoryDirectory }) =>
    createVerifier({ directory: memoryDirectory({ authority, agents: [], tasks: [] }) }),
  "@countersign/agent-assertion/axios": ({ assertionAdapter }) =>
    assertionAdapter(
      { AxiosError: class {}, AxiosHeaders: class {}, getAdapter() {}, getUri() {} },
      source,
      { origins },
    ),
  "@countersign/agent-assertion/client-address": ({ parseTrustedProxies }) =>
    parseTrustedProxies(["10.0.0.0/8"]),
  "@countersign/agent-assertion/express": ({ agentAssertion }) => agentAssertion({ verifier }),
  "@countersign/agent-assertion/fastify": ({ agentAssertion }) =>
    agentAssertion({ hasRequestDecorator: () => true, addHook() {} }, { verifier }),
  "@countersign/agent-assertion/fetch": ({ withAssertion }) =>
    withAssertion(fetch, source, { origins }),
  "@countersign/agent-assertion/handler": ({ withAgent }) =>
    withAgent(verifier, () => new Response()),
  "@countersign/agent-assertion/hono": ({ agentAssertion }) => agentAssertion({ verifier }),
  "@countersign/agent-assertion/koa": ({ agentAssertion }) => agentAssertion({ verifier }),
  "@countersign/agent-assertion/message-signature": ({ parseMessageSignature }) =>
    parseMessageSignature([], "agent-assertion"),
  "@countersign/agent-assertion/nestjs": ({ agentGuard }) => agentGuard(verifier),
  "@countersign/agent-assertion/node": ({ requireAgent }) => requireAgent(verifier, () => {}),
  "@countersign/agent-assertion/remote-directory": ({ remoteDirectory }) =>
    remoteDirectory(authority).close(),
  "@countersign/agent-assertion/sign": ({ AssertionSigner }) => new AssertionSigner(),
  "@countersign/agent-assertion/sign-async": ({ authorizationFieldAsync }) =>
    authorizationFieldAsync({ kind: "none" }, authority),
  "@countersign/agent-assertion/store-contract": ({ replayStoreContract }) =>
    replayStoreContract(started),
  "@countersign/agent-assertion/undici": ({ assertionInterceptor }) =>
    assertionInterceptor(source, { origins }),
  "@countersign/agent-assertion/websocket": ({ assertionHeaders }) =>
    assertionHeaders(source, { origins }),
  "@countersign/agent-assertion/ws": ({ admitUpgrades }) =>
    admitUpgrades({ handleUpgrade() {}, emit() {}, options: { noServer: true } }, { verifier }),
  "@countersign/agent-authority": async ({ openStore }) => {
    await (await openStore("sqlite::memory:")).close();
  },
  "@countersign/agent-authority/oidc": ({ createOidcIssuer }) =>
    createOidcIssuer({ name: "staff", issuer: authority, audience: authority, account: "acct-1" }),
  "@countersign/agent-authority/remote-registry": ({ remoteRegistry }) =>
    remoteRegistry({ url: authority, token: "cs_op_x" }),
  "@countersign/agent-identity": ({ AgentIdentityManager, createAuthSlot, memoryStore }) =>
    new AgentIdentityManager({ authority, auth: createAuthSlot(), store: memoryStore() }),
  "@countersign/agent-identity/authority-client": ({ AuthorityClient }) =>
    new AuthorityClient({ authority }),
  "@countersign/agent-identity/identity-jwt": ({ remoteKeySet }) => remoteKeySet(authority),
  "@countersign/agent-identity/keyring-store": ({ keyringStore }) =>
    keyringStore({ directory: "/nowhere" }),
  "@countersign/agent-identity/server": ({ agentRevocationPath }) => agentRevocationPath("agent_1"),
  "@countersign/agent-identity/store-contract": ({ credentialStoreContract }) =>
    credentialStoreContract(started),
  "@countersign/ai": ({ openai }) => openai(source, { baseURL: "https://api.example/v1" }),
  "@countersign/ai/mcp-server": ({ mcpServer }) =>
    mcpServer({ verifier: { verify() {}, recheck() {} }, connect() {} }),
  "@countersign/agent-key": ({ AgentKey, AgentPublicKey }) => {
    const key = AgentKey.importPkcs8(AgentKey.generate().exportPkcs8());
    const { line } = key.publicKey;
    if (!AgentPublicKey.parse(line).verify(Buffer.from("text"), key.sign(Buffer.from("text")))) {
      throw new Error("the signature does not hold");
    }
  },
  "@countersign/agent-key/codes": ({ codeRow }) => codeRow("config_invalid"),
  "@countersign/agent-key/escaping": ({ escapeText }) => escapeText("\u0007"),
  "@countersign/agent-key/message-signature": ({ contentDigest }) =>
    contentDigest(Buffer.from("text")),
  "@countersign/agent-key/operations-listener": ({ listenForOperations }) =>
    listenForOperations({ metrics: {}, isReady: () => true }),
  "@countersign/agent-key/platform-fetch": ({ errnoOf }) => errnoOf(new Error("no code")),
  "@countersign/agent-key/problem": ({ codeOfStatus }) => codeOfStatus(404),
  "@countersign/agent-key/redaction": ({ hideCredentials }) => hideCredentials("text"),
  "@countersign/agent-key/signers": ({ pkcs8FromJwk, signsAtOnce }) =>
    typeof pkcs8FromJwk === "function" && signsAtOnce({}),
  "@countersign/agent-key/tracing": ({ isTracing }) => isTracing(),
  "@countersign/agent-task": ({ fileTaskStore }) => fileTaskStore("/nowhere/tasks"),
  "@countersign/agent-task/sealed-box": ({ openSealedBox }) => typeof openSealedBox,
  "@countersign/agent-task/server": ({ parseIdempotencyKey }) => parseIdempotencyKey(undefined),
  "@countersign/agent-task/store-contract": ({ taskStoreContract }) => taskStoreContract(started),
  "@countersign/assertion-proxy": ({ createSigningProxy }) =>
    createSigningProxy({ upstream: authority, source: () => source }),
  "@countersign/codex-home": ({ codexAuth }) => codexAuth("/nowhere", { authority }),
  "@countersign/conformance": ({ runConformance, VECTORS_DIRECTORY }) =>
    runConformance(VECTORS_DIRECTORY),
  "@countersign/feature-flags": ({ agentIdentityFeatures, resolveFeatures }) =>
    resolveFeatures(agentIdentityFeatures),
  "@countersign/feature-flags/openfeature": ({ createOpenFeatureProvider }) =>
    createOpenFeatureProvider({ find() {}, isEnabled: () => false, list: () => [], warnings: [] }),
  "@countersign/private-file": ({ readPrivateFile }) => readPrivateFile("/nowhere/file"),
  "@countersign/private-file/user-home": ({ findUserHome }) => findUserHome(),
};

/** Whether a use works: `works`, or what it fails with. */
async function outcomeOf(entry, use) {
  try {
    await use(await import(entry));
    return "works";
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

// What a use leaves open would keep the process: the next line is its last.
const outcomes = {};
for (const [entry, use] of Object.entries(USES)) outcomes[entry] = await outcomeOf(entry, use);
process.stdout.write(`${JSON.stringify(outcomes)}\n`, () => process.exit());
