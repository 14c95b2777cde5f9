import { spawnSync } from "node:child_process";
import { join } from "node:path";

// Root makes namespaces directly. Any other user first needs a user namespace with the rights of root.
const WAYS: readonly (readonly string[])[] = [["--net"], ["--map-root-user", "--net"]].map(
  (way) => [...way, "--mount"],
);
const RESOLVER = join(import.meta.dirname, "resolv.conf");
// Where nothing can be mounted, a program waits for its time-out with each name that it asks for.
const WITH_LOOPBACK = `ip link set lo up && { mount --bind '${RESOLVER}' /etc/resolv.conf || true; } && exec "$@"`;

/**
 * The words that run a command in a network namespace with loopback and nothing else; undefined where this machine cannot make one. Names
 * are asked of loopback there.
 */
export function loopbackOnlyPrefix(): readonly string[] | undefined {
  for (const way of WAYS) {
    const prefix = ["unshare", ...way, "sh", "-c", WITH_LOOPBACK, "loopback-only"];
    const probe = spawnSync(prefix[0] ?? "", [...prefix.slice(1), "true"], { stdio: "ignore" });
    if (probe.status === 0) return prefix;
  }
  return undefined;
}
