import type { SecretVariable } from "../process/secret-variables.js";

/** The environment of the process, from which secrets are taken only once. */
export interface Environment {
  /** Reads a variable that is no secret. Unset and empty are the same. */
  get(name: string): string | undefined;
  /** Reads a secret and deletes it, so that no child and no later dump of the environment holds it. */
  takeSecret(name: SecretVariable): string | undefined;
  /** The same for a variable that the user names, as in `env:VAR`. */
  takeNamedSecret(name: string): string | undefined;
  /** Sets a variable that is not set or empty, for code that reads the environment by itself. */
  setDefault(name: string, value: string): void;
  /** All variables, for sources that look for a prefix. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Wraps `process.env`. */
export function createEnvironment(variables: NodeJS.ProcessEnv): Environment {
  // A switch of the same name may be asked for twice by one command; the value then comes from here.
  const taken = new Map<string, string>();
  const get = (name: string): string | undefined => variables[name] || undefined;
  const take = (name: string): string | undefined => {
    const value = get(name);
    if (value === undefined) return taken.get(name);
    delete variables[name];
    taken.set(name, value);
    return value;
  };
  return {
    variables,
    get,
    takeSecret: take,
    takeNamedSecret: take,
    setDefault(name, value) {
      variables[name] ||= value;
    },
  };
}
