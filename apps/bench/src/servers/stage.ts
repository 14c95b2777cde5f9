import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LoadGenerator } from "./load-client.ts";
import { ServerProcess } from "./server-process.ts";

const SMALL_SEMI_SPACE = import.meta.resolve("../memory/small-semi-space.ts");
const PROGRAMS = new URL("programs/", import.meta.url);

/** What a measurement has started and made. All of it is ended and removed with it, the last first. */
export class Stage implements AsyncDisposable {
  readonly #owned: AsyncDisposable[] = [];

  /** Takes something over. */
  own<T extends AsyncDisposable>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  /** Starts one of the servers in `programs`. */
  async program(name: string, ...args: string[]): Promise<ServerProcess> {
    return this.own(await ServerProcess.start(fileOf(name), args));
  }

  /** Starts one of them with the setting of V8 that `countersign gateway` and `countersign proxy` give themselves. */
  async proxyProgram(name: string, ...args: string[]): Promise<ServerProcess> {
    // As a flag of the command line V8 lets it grow all the same.
    const nodeFlags = [`--import=${SMALL_SEMI_SPACE}`];
    return this.own(await ServerProcess.start(fileOf(name), args, { nodeFlags }));
  }

  generator(): LoadGenerator {
    return this.own(new LoadGenerator());
  }

  /** Makes a folder that only this user can enter. */
  async folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), "countersign-bench-"));
    this.own({ [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#owned.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  }
}

function fileOf(program: string): string {
  return fileURLToPath(new URL(`${program}.ts`, PROGRAMS));
}

/** Prepares something on a stage, which ends at once if that fails. */
export async function onStage<T>(prepare: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = new Stage();
  try {
    return await prepare(stage);
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}
