import type { Credential } from "../../operations/operation.js";

/** How each credential is sent. */
export const SECURITY_SCHEMES: Readonly<Record<Credential, object>> = {
  human: {
    type: "http",
    scheme: "bearer",
    description:
      "The human's token: an access token of role `human`, or a token of an OpenID issuer that the operator named.",
  },
  biscuit: {
    type: "apiKey",
    in: "header",
    name: "X-OpenAI-Authorization",
    description:
      "A biscuit, minted for this one request by `GET /authenticate_app_v2` (generation A). It lives 60 seconds and can be used once.",
  },
  assertion: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description:
      "`AgentAssertion <token>`: the agent's own assertion, for one of its tasks (protocol §6).",
  },
  resource_server: {
    type: "http",
    scheme: "bearer",
    description: "An access token of role `resource_server`.",
  },
  read: {
    type: "http",
    scheme: "bearer",
    description:
      "An access token of role `read`, which reads the registry and the audit log and changes nothing.",
  },
  audit: {
    type: "http",
    scheme: "bearer",
    description: "An access token of role `audit`, which reads the audit log alone.",
  },
  stop: {
    type: "http",
    scheme: "bearer",
    description: "An access token of role `stop`, which revokes and restores, and reads nothing.",
  },
  operate: {
    type: "http",
    scheme: "bearer",
    description:
      "An access token of role `operate`, which reads and changes everything. To make tokens and identity JWTs it needs the scope `tokens` as well.",
  },
};
