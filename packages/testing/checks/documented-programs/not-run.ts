const FIRST_MINUTES = "run before, as a part of the README's first five minutes";
const CODEX = "needs a Codex binary; `pnpm interop` runs it";

/** The examples that documents show and that do not run here, and why. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  "examples/first-minutes/agent.mts": FIRST_MINUTES,
  "examples/first-minutes/api.mts": FIRST_MINUTES,
  "examples/codex/codex-flag.sh": CODEX,
  "examples/codex/codex-jwt.sh": CODEX,
  "examples/codex/codex-proxy.sh": CODEX,
  "examples/codex/codex-child.sh": CODEX,
};
