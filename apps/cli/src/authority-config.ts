import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CliError } from "./cli-error.js";
import { parseToml } from "./config.js";
import { parseDuration } from "./duration.js";
import { isSystemError, reasonOf } from "./home.js";

const TEN_YEARS_SECONDS = 315_360_000;

const authorityConfigSchema = z.strictObject({
  public_url: z.string().optional(),
  generations: z
    .array(z.enum(["A", "C"]))
    .min(1)
    .optional(),
  registration_proof: z.enum(["accept", "require"]).optional(),
  capabilities: z.array(z.string()).optional(),
  agent_ttl: z.string().optional(),
  task_ttl: z.string().optional(),
  max_live_agents: z.int().min(1).optional(),
  max_live_tasks: z.int().min(1).optional(),
});

/** What an operator decides about an authority. */
export interface AuthorityConfig {
  readonly publicUrl?: string | undefined;
  readonly generations?: readonly ("A" | "C")[] | undefined;
  readonly registrationProof?: "accept" | "require" | undefined;
  readonly capabilities?: readonly string[] | undefined;
  readonly agentTtlSeconds?: number | undefined;
  readonly taskTtlSeconds?: number | undefined;
  readonly maxLiveAgents?: number | undefined;
  readonly maxLiveTasks?: number | undefined;
}

/**
 * Loads the file of `authority serve --config`. A key it does not know is an error: a misspelt limit would be no limit.
 *
 * @throws {CliError} `config_invalid` naming file and key
 */
export async function loadAuthorityConfig(file: string): Promise<AuthorityConfig> {
  const result = authorityConfigSchema.safeParse(parseToml(await readText(file), file));
  if (!result.success) {
    const [issue] = result.error.issues;
    const key = issue?.code === "unrecognized_keys" ? issue.keys[0] : issue?.path.join(".");
    throw new CliError("config_invalid", `${file}: \`${key}\` ${wordsFor(issue?.code)}`, {
      cause: result.error,
      hint: `known keys: ${Object.keys(authorityConfigSchema.shape).join(", ")}`,
    });
  }
  const { data } = result;
  const seconds = (key: "agent_ttl" | "task_ttl") => {
    const text = data[key];
    if (text === undefined) return undefined;
    return parseDuration(text, `${file}: ${key}`, { min: 1, max: TEN_YEARS_SECONDS });
  };
  return {
    publicUrl: data.public_url,
    generations: data.generations,
    registrationProof: data.registration_proof,
    capabilities: data.capabilities,
    agentTtlSeconds: seconds("agent_ttl"),
    taskTtlSeconds: seconds("task_ttl"),
    maxLiveAgents: data.max_live_agents,
    maxLiveTasks: data.max_live_tasks,
  };
}

function wordsFor(code: string | undefined): string {
  return code === "unrecognized_keys" ? "is not known" : "has a value that is not allowed";
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("config_invalid", `--config: ${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: "name a TOML file that this user may read",
    });
  }
}
