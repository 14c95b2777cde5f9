// Runs commands of the built program, one at a time, so that its modules are loaded once. Each is run as Node runs it: `bin.js` is evaluated,
// and the command has ended when nothing is left that keeps a process alive. A command that calls `process.exit`, is killed or throws takes
// this process along, as it would its own.
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import type { ResidentAnswer, ResidentCommand } from "../resident/resident-messages.js";

const UNSETTLED = 13;
const BIN = process.argv[2] ?? "";
const EMITTERS = [process, process.stdout, process.stderr];

interface Running {
  readonly endMark: string;
  /** That of the process before the command. */
  readonly umask: number;
  evaluated: boolean;
}

let running: Running | undefined;
let count = 0;

// A client keeps the connections that it may use again. They would end with its process.
const connections = new Set<Socket>();
subscribe("net.client.socket", (message) => {
  const { socket } = message as { readonly socket: Socket };
  connections.add(socket.once("close", () => connections.delete(socket)));
});

// Node gives a warning of one code once in a process: the next command gets a process of its own.
let warned = false;
process.on("warning", () => {
  warned = true;
});
process.on("message", (command: ResidentCommand) => run(command));
process.on("disconnect", () => process.exit());
process.on("beforeExit", () => {
  if (running?.evaluated === false) process.exit(UNSETTLED);
  if (running !== undefined) void end(running);
});
const ownListeners = EMITTERS.map(listenersOf);

async function run({ args, env, cwd, input, endMark }: ResidentCommand): Promise<void> {
  // From here on the channel keeps nothing alive: only what the command does is waited for.
  process.channel?.unref();
  count += 1;
  const current = { endMark, umask: process.umask(), evaluated: false };
  running = current;
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(cwd);
  process.argv = [process.execPath, BIN, ...args];
  const stdin = new PassThrough();
  stdin.end(input);
  Object.defineProperty(process, "stdin", { value: stdin, configurable: true });
  // Another URL is another module; what it imports is the same.
  await import(`${pathToFileURL(BIN)}?${count}`);
  current.evaluated = true;
}

async function end({ endMark, umask }: Running): Promise<void> {
  running = undefined;
  process.channel?.ref();
  process.emit("exit", Number(process.exitCode ?? 0));
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  process.umask(umask);
  EMITTERS.forEach(removeOthers);
  for (const socket of connections) socket.destroy();
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise((resolve) => stream.write(endMark, resolve));
  }
  const answer: ResidentAnswer = { code, isSpent: warned };
  process.send?.(answer);
}

function listenersOf(emitter: NodeJS.EventEmitter) {
  return new Set(emitter.eventNames().flatMap((name) => emitter.rawListeners(name)));
}

function removeOthers(emitter: NodeJS.EventEmitter, index: number): void {
  for (const name of emitter.eventNames()) {
    for (const listener of emitter.rawListeners(name)) {
      if (ownListeners[index]?.has(listener)) continue;
      emitter.removeListener(name, listener as (...values: unknown[]) => void);
    }
  }
}
