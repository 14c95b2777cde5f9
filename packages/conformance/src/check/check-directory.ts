import { parseDirectoryRecord } from "@countersign/agent-assertion";
import type { DirectoryFile } from "../schema/directory-file.js";
import { nameOf, outcome, type VectorCheck } from "../vector-check.js";

/** The checks of a file of form `countersign.directory/1`. */
export function checkDirectory(file: DirectoryFile): readonly VectorCheck[] {
  return [
    ...file.valid.map((vector, index) => ({
      name: nameOf("valid", index, vector, vector.body),
      expected: said(vector.agent_state, vector.public_keys, vector.task_state),
      run: () => read(vector.body),
    })),
    ...file.invalid.map((vector, index) => ({
      name: nameOf("invalid", index, vector, vector.body),
      expected: "bad_response",
      run: () => read(vector.body),
    })),
  ];
}

function read(body: unknown): string {
  const { agent, task } = parseDirectoryRecord(body);
  const lines = agent.publicKeys.map(({ line }) => line);
  return said(agent.state, lines, task?.state ?? null);
}

function said(agentState: string, publicKeys: readonly string[], taskState: string | null): string {
  return outcome({
    agent_state: agentState,
    public_keys: publicKeys.join(", "),
    ...(taskState === null ? {} : { task_state: taskState }),
  });
}
