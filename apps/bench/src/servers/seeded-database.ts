import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { NotMeasured } from "../harness/not-measured.ts";

const PACKAGE = new URL("../../../../packages/agent-authority/test/", import.meta.url);
const PROGRAM = fileURLToPath(new URL("bench/seeded-database.ts", PACKAGE));
const LOADER = new URL("processes/typescript-loader.mjs", PACKAGE).href;

/** An agent of a seeded database. */
export interface KnownAgent {
  readonly id: string;
  readonly taskIds: readonly string[];
  /** Its key, base64 of PKCS#8. */
  readonly pkcs8: string;
}

/** An authority's database on disk that was filled by bulk. It is removed when it is disposed. */
export interface SeededDatabase extends AsyncDisposable {
  readonly url: string;
  readonly humanToken: string;
  readonly resourceServerToken: string;
  readonly agents: readonly KnownAgent[];
}

/** What is in a seeded database. */
export interface Seed {
  /** Live tasks, 100 of each agent. Fewer than 100 are those of one agent. */
  readonly tasks: number;
  /** How many agents have a key that is known here, if there are so many. */
  readonly knownAgents: number;
}

/**
 * Makes a database and fills it.
 *
 * @throws {NotMeasured} if no PostgreSQL answers
 */
export async function seedDatabase(
  kind: "SQLite" | "PostgreSQL",
  { tasks, knownAgents }: Seed,
): Promise<SeededDatabase> {
  const child = fork(PROGRAM, [kind, String(tasks), String(knownAgents)], {
    execArgv: [`--import=${LOADER}`],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const ended = exited.then(() => Promise.reject(new Error(`no ${kind} database was made`)));
  const [answer] = await Promise.race([once(child, "message"), ended]);
  ended.catch(() => {});
  if ("absent" in answer) {
    await exited;
    throw new NotMeasured(answer.absent);
  }
  return {
    ...answer,
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exited;
    },
  };
}
