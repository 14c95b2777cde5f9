/** Where the admin API stands, below its listener's base URL. */
export const ADMIN_PATHS = {
  tokens: "/v1/admin/tokens",
  agents: "/v1/admin/agents",
  tasks: "/v1/admin/tasks",
  users: "/v1/admin/users",
  accounts: "/v1/admin/accounts",
  audit: "/v1/admin/audit",
  identities: "/v1/admin/identities",
  signingKeys: "/v1/admin/signing-keys",
} as const;
