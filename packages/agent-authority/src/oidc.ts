export { checkIssuers } from "./humans/check-issuers.js";
export { checkOidcToken, type OidcTokenReport } from "./humans/check-oidc-token.js";
export { createOidcIssuer } from "./humans/create-oidc-issuer.js";
export type { HumanIssuer, HumanPrincipal } from "./humans/human-issuer.js";
export type {
  OidcAccountClaim,
  OidcAlgorithm,
  OidcClaimValue,
  OidcIssuerOptions,
} from "./humans/oidc-issuer-options.js";
