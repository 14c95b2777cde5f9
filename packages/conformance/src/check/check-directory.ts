import { parseDirectoryRecord } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import type { DirectoryFile } from "../schema/directory-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";
import { answering } from "./answering.js";

const AUTHORITY = "https://authority.example";

type Answer = DirectoryFile["invalid"][number];

/** The checks of a file of form `countersign.directory/1`. */
export function checkDirectory(file: DirectoryFile): readonly VectorCheck[] {
  return [
    ...file.valid.map((vector, index) => ({
      name: nameOf("valid", index, vector, vector.body),
      expected: said(vector.agent_state, vector.public_keys, vector.task_state),
      run: () => read(vector),
    })),
    ...file.invalid.map((vector, index) => ({
      name: nameOf("invalid", index, vector, vector.body),
      expected: "bad_response",
      run: () => read(vector),
    })),
  ];
}

async function read({ body, requested }: Answer): Promise<string> {
  const { agent, task } = requested ? await ask(body, requested) : parseDirectoryRecord(body);
  const lines = agent?.publicKeys.map(({ line }) => line) ?? [];
  return said(agent?.state ?? "null", lines, task?.state ?? null);
}

async function ask(
  body: unknown,
  { agent_runtime_id: agentId, task_id: taskId }: NonNullable<Answer["requested"]>,
) {
  const directory = remoteDirectory(AUTHORITY, { fetch: answering(body) });
  try {
    const task = taskId === undefined ? undefined : await directory.task(agentId, taskId);
    return { agent: await directory.agent(agentId), task };
  } finally {
    await directory.close?.();
  }
}

function said(agentState: string, publicKeys: readonly string[], taskState: string | null): string {
  return outcome({
    agent_state: agentState,
    public_keys: publicKeys.join(", "),
    ...(taskState === null ? {} : { task_state: taskState }),
  });
}
