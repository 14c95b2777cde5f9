import { readFile } from "node:fs/promises";
import { type AgentDirectory, memoryDirectory } from "@countersign/agent-assertion";
import { AgentPublicKey, CountersignError, isServerId } from "@countersign/agent-key";
import * as z from "zod";
import { isSystemError, reasonOf } from "../home/home.js";
import { CliError } from "../text/cli-error.js";
import type { OpenDirectory } from "./directory-option.js";

const serverId = z.string().refine(isServerId);

const keysFileSchema = z.looseObject({
  agents: z.array(
    z.looseObject({
      agent_runtime_id: serverId,
      ssh_public_key: z.string(),
      account_id: z.string().default(""),
      user_id: z.string().default(""),
      revoked: z.boolean().default(false),
    }),
  ),
  tasks: z.array(
    z.looseObject({
      agent_runtime_id: serverId,
      task_id: serverId,
      revoked: z.boolean().default(false),
    }),
  ),
});

// The file names no authority. This name stands for it, because no host can have it (RFC 6761 §6.4).
const NO_AUTHORITY = "https://keys.invalid";

/**
 * Opens a file of agents and tasks as a directory: JSON with the members `agents` and `tasks`, as in the vectors `assertions.json`.
 *
 * @throws {CliError} `config_invalid` when it cannot be read or is not of that form
 */
export async function openKeysFile(path: string): Promise<OpenDirectory> {
  const { agents, tasks } = parseKeysFile(await readText(path), path);
  const directory: AgentDirectory = wrong(path, () =>
    memoryDirectory({
      authority: NO_AUTHORITY,
      agents: agents.map((agent) => ({
        agentRuntimeId: agent.agent_runtime_id,
        accountId: agent.account_id,
        userId: agent.user_id,
        capabilities: [],
        publicKeys: [AgentPublicKey.parse(agent.ssh_public_key)],
        state: agent.revoked ? "revoked" : "active",
      })),
      tasks: tasks.map((task) => ({
        agentRuntimeId: task.agent_runtime_id,
        taskId: task.task_id,
        state: task.revoked ? "revoked" : "active",
      })),
    }),
  );
  return {
    directory,
    canVerify: () => true,
    figures: () => ({ state: "fresh" }),
    tokenEndsAt: () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("config_invalid", `${path} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function parseKeysFile(text: string, path: string): z.infer<typeof keysFileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError("config_invalid", `${path} is not JSON`, { cause: error });
  }
  const result = keysFileSchema.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join(".") || "the document";
  throw new CliError("config_invalid", `${path}: ${where} is not as it should be`, {
    cause: result.error,
    hint: "the file holds {agents: [{agent_runtime_id, ssh_public_key, revoked?}], tasks: [{agent_runtime_id, task_id, revoked?}]}",
  });
}

function wrong<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!CountersignError.is(error)) throw error;
    throw new CliError("config_invalid", `${path}: ${error.message}`, {
      cause: error,
      hint: error.hint,
    });
  }
}
