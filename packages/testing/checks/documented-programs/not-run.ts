const FIRST_MINUTES = "run before, as a part of the README's first five minutes";
const CODEX = "needs a Codex binary; `pnpm interop` runs it";

/** The examples that documents show and that do not run here, and why. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  "apps/cli/test/examples/agent.mts": FIRST_MINUTES,
  "apps/cli/test/examples/api.mts": FIRST_MINUTES,
  "apps/cli/test/examples/codex-flag.sh": CODEX,
  "apps/cli/test/examples/codex-jwt.sh": CODEX,
  "apps/cli/test/examples/codex-proxy.sh": CODEX,
};
