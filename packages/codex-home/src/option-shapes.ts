import { AgentKeyError, type OptionShape, optionChecks } from "@countersign/agent-key";

/** The checks of this package's options. They throw an `AgentKeyError` with `config_invalid`. */
export const { checkOptions } = optionChecks(AgentKeyError);

/** The options of `codexAuthStore`. */
export const CODEX_AUTH_STORE: Readonly<Record<string, OptionShape>> = {
  authority: {
    type: "text",
    expected: 'the base URL of an authority, for instance "https://authority.example"',
  },
  beside: {
    type: "object",
    members: { load: "function", update: "function", withLock: "function" },
    expected: 'a CredentialStore, for instance fileStore("~/.my-agent")',
  },
  proof: { type: "choice", choices: ["bearer", "biscuit"], optional: true },
  form: { type: "choice", choices: ["A", "C"], optional: true },
  insecureHttp: { type: "boolean", expected: "true or false", optional: true },
};
