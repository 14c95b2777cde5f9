import { CliError } from "../text/cli-error.js";

/** Which of its ways a Codex takes: A registers with a biscuit, B brings an identity JWT, C registers with the human's bearer. */
export type CodexGeneration = "A" | "B" | "C";

/** The values of `--generation`. */
export const CODEX_GENERATIONS: readonly CodexGeneration[] = ["A", "B", "C"];

/** What a Codex of some versions does. */
export interface CodexKind {
  /** Its first version; the last one is before the next kind. */
  readonly since: readonly [major: number, minor: number];
  /** The generation of the feature flag. `undefined`: it does not have the flag, and signs with an identity JWT alone. */
  readonly flag: "A" | "C" | undefined;
  /** The forms of `agent_identity` in `auth.json` that it can read. Any other one makes the whole login unreadable to it. */
  readonly reads: readonly CodexGeneration[];
  /** The environment variables without which it goes to its vendor. */
  readonly variables: readonly CodexVariable[];
}

/** An environment variable of Codex that sends its requests to this authority. */
export type CodexVariable =
  | "CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL"
  | "CODEX_AGENT_IDENTITY_JWKS_BASE_URL"
  | "CODEX_REFRESH_TOKEN_URL_OVERRIDE";

/** Version → generation → variables, newest first. */
const KINDS = [
  {
    since: [0, 150],
    flag: "C",
    reads: ["B", "C"],
    variables: [
      "CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL",
      "CODEX_AGENT_IDENTITY_JWKS_BASE_URL",
      "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
    ],
  },
  {
    since: [0, 124],
    flag: undefined,
    reads: ["B"],
    variables: ["CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL"],
  },
  {
    since: [0, 122],
    flag: "A",
    reads: ["A"],
    variables: ["CODEX_REFRESH_TOKEN_URL_OVERRIDE"],
  },
] as const satisfies readonly CodexKind[];

const [NEWEST, , OLDEST] = KINDS;

/** The kind that a generation stands for if no version says more: A is 0.122 and 0.123; B and C are 0.150 and newer. */
export function kindOfGeneration(generation: CodexGeneration): CodexKind {
  return generation === "A" ? OLDEST : NEWEST;
}

/**
 * The kind of a Codex by what `codex --version` prints, such as `codex-cli 0.171.0`.
 *
 * @throws {CliError} `config_invalid` if it names no version, or one before 0.122
 */
export function kindOfVersion(printed: string): CodexKind {
  const [, version = "", major, minor] = /\b((\d+)\.(\d+)\.\d+\S*)/.exec(printed) ?? [];
  const hint = `say how it works with --generation ${CODEX_GENERATIONS.join("|")}`;
  if (version === "") {
    throw new CliError("config_invalid", "codex --version prints no version", { hint });
  }
  const kind = KINDS.find(({ since }) => isAtLeast([Number(major), Number(minor)], since));
  if (kind !== undefined) return kind;
  throw new CliError("config_invalid", `Codex ${version} is older than 0.122 and has no agents`, {
    hint: `install a newer Codex; or, if it is one, ${hint}`,
  });
}

/** Where the requests of a Codex home go. */
export interface CodexDestination {
  /** Normalised base URL. */
  readonly authority: string;
  /** `chatgpt_base_url` as `config.toml` has it: Codex compares the two as texts. */
  readonly chatgptBaseUrl: string;
}

/** The environment variables with which a Codex sends its requests to this authority. */
export function codexVariables(
  { variables }: CodexKind,
  { authority, chatgptBaseUrl }: CodexDestination,
): Partial<Readonly<Record<CodexVariable, string>>> {
  const values: Readonly<Record<CodexVariable, string>> = {
    CODEX_AGENT_IDENTITY_AUTHAPI_BASE_URL: authority,
    CODEX_AGENT_IDENTITY_JWKS_BASE_URL: chatgptBaseUrl,
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${authority}/backend-api/codex/token-refresh`,
  };
  return Object.fromEntries(variables.map((name) => [name, values[name]]));
}

function isAtLeast(
  [major, minor]: readonly [number, number],
  since: readonly [number, number],
): boolean {
  return major > since[0] || (major === since[0] && minor >= since[1]);
}
