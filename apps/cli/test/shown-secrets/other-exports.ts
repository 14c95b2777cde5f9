/** Public exports that hold no secret, by package and entry; or that are looked at as exports of another entry. */
export const NO_SECRET: Readonly<Record<string, string>> = {
  "agent-assertion": `
    ASSERTION_WHOAMI_PATH AgentAssertionError AssertionRejected INTROSPECTION_PATH MAX_USE_AGE_SECONDS
    REVOCATION_DELAY_SECONDS TooManyLookups USE_REPORT_PATH checkAssertion createAssertionWhoamiResponse createDirectoryRecord createIntrospectionResponse createProblem
    memoryDirectory memoryReplayStore parseAssertion parseDirectoryRecord
    parseIntrospectionRequest statusOf`,
  "agent-assertion/client-address":
    "clientAddressOf isTrustedProxy networkOf normaliseAddress parseTrustedProxies sourceOf",
  "agent-assertion/express": "agentAssertion agentOf",
  "agent-assertion/fetch": "refusalOf",
  "agent-assertion/fastify": "agentAssertion findAgent",
  "agent-assertion/handler": "withAgent",
  "agent-assertion/hono": "agentAssertion",
  "agent-assertion/koa": "agentAssertion agentOf",
  "agent-assertion/message-signature":
    "checkContentDigest checkMessageSignature fieldValue parseMessageSignature",
  "agent-assertion/nestjs": "agentGuard agentParameter optionalAgentParameter",
  "agent-assertion/node": "UnreadableBody answerRefusal problemOf requireAgent verifyRequest",
  "agent-assertion/sign": "AssertionSigner bindRequest",
  "agent-assertion/store-contract": "agentDirectoryContract replayStoreContract",
  "agent-assertion/undici": "repeatableBody",
  "agent-assertion/ws": "admitUpgrades agentOf",
  "agent-authority": `
    AUDITED_CHANGES AUDITED_REQUESTS AgentAuthorityError TOKEN_ROLES backupStore createAuthorityMetrics createOperationsListener
    followAuditEvents inspectStore`,
  "agent-authority/oidc": "checkIssuers checkOidcToken createOidcIssuer",
  "agent-identity":
    "AgentIdentityError AuthorityError IDENTITY_CHANNEL describeIssues guardCredentials isFormerKey publicLineOf removeLogin",
  "agent-identity/authority-client": `
    AuthorityClock AuthorityError createAgentRegistrationRequest createKeyRotationRequestAsync createOwnEndRequest keyRotationText
    ownEndText parseAgentRegistrationResponse parseAgentRevocationResponse parseKeyRotationResponse parseTaskEndResponse parseWhoamiResponse`,
  "agent-identity/identity-jwt": `
    CODEX_AUDIENCE CODEX_ISSUER IDENTITY_JWT_REASONS IdentityJwtError keySetUrl pinnedKeySet remoteKeySet`,
  "agent-identity/server": `
    AGENT_REGISTRATION_PATH BISCUIT_HEADER BISCUIT_PATH WHOAMI_PATH agentEndPath agentRegistrationKeyid agentRegistrationRequestSchema
    agentRegistrationResponseSchema agentRevocationPath agentRevocationResponseSchema createAgentRegistrationResponse
    createAgentRevocationResponse createKeyRotationResponse createTaskEndResponse createWhoamiResponse keyRotationPath keyRotationRequestSchema
    keyRotationResponseSchema ownEndRequestSchema parseAgentRegistrationRequest parseKeyRotationRequest parseOwnEndRequest
    publicRsaKeySchema taskEndPath taskEndResponseSchema verifyKeyRotation verifyOwnEnd whoamiResponseSchema`,
  "agent-identity/store-contract": "credentialStoreContract",
  "agent-key": `
    AgentKeyError AgentPublicKey CountersignError KeyedMutex LONGEST_TIMER_MS LinkedMap Mutex REJECTION_TEXTS StoreError
    contractCases decodeBase64 decodeBase64Url encodeBase64
    encodeBase64Url formatTimestamp fromWireNames hideMembers isInstant isLoopbackHost isPrincipalId isServerId isThreadLabel numberIn signWith
    optionChecks parseAuthority parseOrigin parseScopeId parseThreadLabel parseTimestamp showMembers toWireNames untilAborted`,
  "agent-key/codes": "CODES CODE_ROWS codeRow hasInRow hintOfCode isCode meaningOfCode",
  "agent-key/escaping": "escapeLines escapeText findHiddenPath",
  "agent-key/message-signature": "contentDigest signMessage signatureBase signatureParameters",
  "agent-key/problem":
    "MAX_PROBLEM_BYTES codeOfStatus createProblem parseProblem refusalCode statusOf",
  "agent-key/operations-listener": "listenForOperations",
  "agent-key/signers": "signsAtOnce",
  "agent-key/platform-fetch": "errnoOf followsEnvProxies platformFetch readBounded",
  "agent-key/redaction": "describeServerText hideCredentials isRequestId",
  "agent-key/tracing": `
    agentAttributes clientTraceFields failSpan inSpan isTracing serverAttributes startServerSpan startSpan traceFieldNames
    traceFields`,
  ai: "refusalOf",
  "ai/mcp-server": "agentOf mcpServer",
  "agent-task": `
    AgentTaskError RUN TASK_CHANNEL TaskRegistrationError createIdempotencyKey fileTaskStore memoryTaskStore
    parseStoredThread plainTaskRegistrationText signPlainTaskRegistrationAsync signTaskRegistrationAsync
    taskRegistrationText`,
  "agent-task/sealed-box": "parseTaskRegistrationResponse",
  "agent-task/server": `
    AgentTaskError createPlainTaskRegistrationResponse createTaskRegistrationResponse parseIdempotencyKey parseTaskRegistrationRequest
    plainTaskRegistrationText sealTaskId
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
  "agent-assertion/sign-async":
    "signAssertionAsync authorizationFieldAsync headerAsync bindRequestAsync",
  "agent-key/signers":
    "pkcs8FromJwk pkcs8FromKeyObject pkcs8FromPem signWithAsync signedKey signingAsync withoutSignature",
  "agent-identity/authority-client": "createBiscuitRequestHeaders parseBiscuitResponseHeaders",
  "agent-identity/server": "identityClaimsSchema",
  "private-file": "readPrivateFile",
};
