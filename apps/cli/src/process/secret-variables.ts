/**
 * The environment variables that hold a secret of this program. `Environment.takeSecret` takes only these and no child process gets one, so a
 * new secret is added here first.
 */
export const SECRET_VARIABLES = [
  "COUNTERSIGN_ACCESS_TOKEN",
  "COUNTERSIGN_AUTHORITY_DATABASE",
  "COUNTERSIGN_DATABASE_URL",
  "COUNTERSIGN_GATEWAY_DATABASE",
  // Never read here: clients of the signing proxy have the proxy's token in it.
  "COUNTERSIGN_PROXY_TOKEN",
  "PGPASSWORD",
] as const;

/** One of {@link SECRET_VARIABLES}. */
export type SecretVariable = (typeof SECRET_VARIABLES)[number];

/**
 * The variables of an environment that a child process may have: all but those that hold a secret of this program, and those that one of them
 * names by `env:VAR`. Names are compared in capitals, because on Windows their case says nothing.
 */
export function withoutSecrets(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hidden = new Set<string>(SECRET_VARIABLES);
  for (const name of SECRET_VARIABLES) {
    const named = /^env:(.+)$/.exec(variables[name] ?? "")?.[1];
    if (named !== undefined) hidden.add(named.toUpperCase());
  }
  const kept = Object.entries(variables).filter(([name]) => !hidden.has(name.toUpperCase()));
  return Object.fromEntries(kept);
}
