/** Public exports that hold no secret, by package and entry; or that are looked at as exports of another entry. */
export const NO_SECRET: Readonly<Record<string, string>> = {
  "agent-assertion": `
    ASSERTION_WHOAMI_PATH AgentAssertionError AssertionRejected INTROSPECTION_PATH REVOCATION_DELAY_SECONDS TooManyLookups
    checkAssertion createAssertionWhoamiResponse createDirectoryRecord createIntrospectionResponse createProblem
    memoryDirectory memoryReplayStore parseAssertion parseDirectoryRecord
    parseIntrospectionRequest statusOf`,
  "agent-assertion/client-address":
    "clientAddressOf isTrustedProxy networkOf normaliseAddress parseTrustedProxies sourceOf",
  "agent-assertion/express": "agentAssertion agentOf",
  "agent-assertion/fetch": "refusalOf",
  "agent-assertion/fastify": "agentAssertion findAgent",
  "agent-assertion/handler": "withAgent",
  "agent-assertion/hono": "agentAssertion",
  "agent-assertion/message-signature":
    "checkContentDigest checkMessageSignature fieldValue parseMessageSignature",
  "agent-assertion/node": "UnreadableBody answerRefusal problemOf requireAgent verifyRequest",
  "agent-assertion/sign": "AssertionSigner bindRequest",
  "agent-assertion/store-contract": "agentDirectoryContract replayStoreContract",
  "agent-assertion/undici": "repeatableBody",
  "agent-authority": `
    AUDITED_CHANGES AUDITED_REQUESTS AgentAuthorityError TOKEN_ROLES backupStore checkIssuers checkOidcToken
    createAuthorityMetrics
    createOidcIssuer createOperationsListener followAuditEvents`,
  "agent-identity":
    "AgentIdentityError AuthorityError IDENTITY_CHANNEL guardCredentials isFormerKey publicLineOf removeLogin",
  "agent-identity/authority-client": `
    AuthorityClock AuthorityError createAgentRegistrationRequest keyRotationText parseAgentRegistrationResponse
    parseAgentRevocationResponse parseKeyRotationResponse parseWhoamiResponse`,
  "agent-identity/identity-token": `
    CODEX_AUDIENCE CODEX_ISSUER IDENTITY_TOKEN_REASONS IdentityTokenError keySetUrl pinnedKeySet remoteKeySet`,
  "agent-identity/server": `
    AGENT_REGISTRATION_PATH BISCUIT_HEADER BISCUIT_PATH WHOAMI_PATH agentRegistrationKeyid agentRegistrationRequestSchema
    agentRegistrationResponseSchema agentRevocationPath agentRevocationResponseSchema createAgentRegistrationResponse
    createAgentRevocationResponse createKeyRotationResponse createWhoamiResponse keyRotationPath keyRotationRequestSchema
    keyRotationResponseSchema parseAgentRegistrationRequest parseKeyRotationRequest publicRsaKeySchema verifyKeyRotation
    whoamiResponseSchema`,
  "agent-identity/store-contract": "credentialStoreContract",
  "agent-key": `
    AgentKeyError AgentPublicKey CountersignError KeyedMutex LONGEST_TIMER_MS LinkedMap Mutex StoreError
    contractCases decodeBase64 decodeBase64Url describeIssues encodeBase64
    encodeBase64Url findHiddenPath formatTimestamp fromWireNames hideMembers isLoopbackHost isPrincipalId isServerId numberIn
    optionChecks parseAuthority parseOrigin parseScopeId parseTimestamp showMembers toWireNames untilAborted`,
  "agent-key/codes": "CODES CODE_ROWS codeRow hasInRow hintOfCode isCode",
  "agent-key/escaping": "escapeLines escapeText",
  "agent-key/message-signature": "contentDigest signMessage signatureBase signatureParameters",
  "agent-key/problem":
    "MAX_PROBLEM_BYTES codeOfStatus createProblem parseProblem refusalCode statusOf",
  "agent-key/operations-listener": "listenForOperations",
  "agent-key/platform-fetch": "errnoOf followsEnvProxies platformFetch readBounded",
  "agent-key/redaction": "describeServerText hideCredentials",
  ai: "refusalOf",
  "agent-task": `
    AgentTaskError RUN TASK_CHANNEL TaskRegistrationError createIdempotencyKey fileTaskStore memoryTaskStore
    parseStoredThread parseTaskRegistrationResponse taskRegistrationText`,
  "agent-task/server": `
    AgentTaskError createTaskRegistrationResponse parseIdempotencyKey parseTaskRegistrationRequest sealTaskId
    taskRegistrationRequestSchema taskRegistrationResponseSchema taskRegistrationText toX25519PublicKey
    verifyTaskRegistration`,
  "agent-task/store-contract": "taskStoreContract",
  "assertion-proxy": "AssertionProxyError createOperationsListener createProxyMetrics",
  "codex-home": "removeCodexTask renewCodexLogin saveCodexAgent",
  conformance: "ConformanceError VECTORS_DIRECTORY runConformance",
  "feature-flags": `
    FeatureFlagError STAGES agentIdentityFeatures configSource defineFeatures environmentSource nearestName
    parseFeatureKey resolveFeatures switchSource`,
  "feature-flags/openfeature": "createOpenFeatureProvider",
  "private-file": `
    PRIVATE_FILE_CHANNEL assertOwnedByUser errnoOf keepFile networkFileSystem openPrivateDirectory removeTemporaryFiles
    resolveHome storeDenied toStoreError userHome withFileLock writePrivateFile`,
  "private-file/user-home": "findUserHome",
};

/** Public exports whose result is the secret itself, a text or the fields of a message, for the caller to send or to store. */
export const SECRET_ITSELF: Readonly<Record<string, string>> = {
  "agent-assertion": "signAssertion",
  "agent-assertion/sign": "signAssertion authorizationField",
  "agent-identity/authority-client": "createBiscuitRequestHeaders parseBiscuitResponseHeaders",
  "agent-identity/server": "identityClaimsSchema",
  "private-file": "readPrivateFile",
};
