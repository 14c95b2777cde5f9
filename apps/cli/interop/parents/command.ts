// Runs a command as a child of this process with the environment of `proxyEnv`. Arguments: the settings, and the command.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { threadProxyEnv } from "./thread-proxy.ts";

const [, , settings = "", command = "", ...args] = process.argv;
const env = await threadProxyEnv(settings);
const child = spawn(command, args, { env, stdio: "inherit" });
process.once("exit", () => child.kill("SIGKILL"));
const [code] = await once(child, "exit");
process.exitCode = code ?? 1;
