import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { runProcess, startProcess } from "@countersign/testing";
import { openDirectory } from "@countersign/testing/vitest";
import { onTestFinished } from "vitest";

const TOOLS = ["dbus-run-session", "dbus-send", "gnome-keyring-daemon"];
// By the password given on standard input, an empty one; makes the keyring where there is none.
const UNLOCK =
  "echo | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null &";
const START = "gnome-keyring-daemon --foreground --start --components=secrets >/dev/null &";
// Until the service has its name, the bus would start a second one for any client that asks.
const AWAIT_NAME = `service=$!
  until dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \\
    org.freedesktop.DBus.GetNameOwner string:org.freedesktop.secrets >/dev/null 2>&1
  do kill -0 "$service" || exit 1; done`;
// It does not end with its bus, nor on SIGTERM every time.
const END = 'kill -KILL "$service"';

/**
 * Makes sure that a Secret Service can be started here.
 *
 * @returns why it cannot; `undefined`: it can
 */
export async function whyNoSecretService(): Promise<string | undefined> {
  if (process.platform !== "linux") return `${process.platform} has no Secret Service`;
  if (missingTools().length === 0) return undefined;
  const { CI, COUNTERSIGN_INSTALL_TEST_TOOLS } = process.env;
  const mayInstall = (CI ?? "") !== "" || (COUNTERSIGN_INSTALL_TEST_TOOLS ?? "") !== "";
  if (mayInstall && process.getuid?.() === 0 && isOnPath("apt-get")) {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const args = ["install", "-y", "--no-install-recommends", "dbus", "gnome-keyring"];
    const { code, stderr } = await runProcess("apt-get", args, { env });
    if (code !== 0) return `apt-get cannot install it: ${stderr.trim()}`;
  }
  const missing = missingTools();
  if (missing.length === 0) return undefined;
  return `${missing.join(" and ")} not on PATH; install Debian's dbus and gnome-keyring, or set COUNTERSIGN_INSTALL_TEST_TOOLS=1 as root`;
}

/**
 * Starts a D-Bus session with a Secret Service of its own, which ends with the test.
 *
 * @returns the environment of its programs
 */
export async function openSecretService(state: "unlocked" | "locked") {
  const home = await openDirectory();
  const runtime = join(home, "run");
  await mkdir(runtime, { mode: 0o700 });
  // No desktop: there is no user to ask for a password.
  const own = {
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    DISPLAY: undefined,
    WAYLAND_DISPLAY: undefined,
  };
  // What is locked has to exist: a session before this one makes it.
  if (state === "locked") {
    const script = [UNLOCK, AWAIT_NAME, END].join("\n");
    await runProcess("dbus-run-session", ["--", "sh", "-c", script], { env: own });
  }
  const start = state === "unlocked" ? UNLOCK : START;
  const tell = 'echo "bus $DBUS_SESSION_BUS_ADDRESS"';
  const script = [start, AWAIT_NAME, tell, "read -r end", END].join("\n");
  const session = await startProcess("dbus-run-session", ["--", "sh", "-c", script], { env: own });
  onTestFinished(async () => {
    // The end of its input lets the shell end the service, and with the shell the session ends.
    session.endInput();
    await session.exited;
  });
  const [, address] = await session.waitForLine(/^bus (.+)$/);
  return { ...own, DBUS_SESSION_BUS_ADDRESS: address };
}

function missingTools(): string[] {
  return TOOLS.filter((tool) => !isOnPath(tool));
}

function isOnPath(tool: string): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, tool)));
}
