import { type AuthorityStore, createAuthority } from "@countersign/agent-authority";
import { createOidcIssuer } from "@countersign/agent-authority/oidc";

export function createAuthorityForWorkflows(store: AuthorityStore) {
  const github = createOidcIssuer({
    name: "github",
    issuer: "https://token.actions.githubusercontent.com",
    audience: "https://authority.example",
    account: "acct-ci",
    user: "repository_id",
    require: { repository_owner_id: "65" },
  });
  return createAuthority({ store, humans: [github] });
}
