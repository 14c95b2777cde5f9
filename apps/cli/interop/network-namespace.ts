import { spawnSync } from "node:child_process";

// Root makes a network namespace directly; anyone else first needs a user namespace in which he is root.
const WAYS: readonly (readonly string[])[] = [["--net"], ["--map-root-user", "--net"]];
const WITH_LOOPBACK = 'ip link set lo up && exec "$@"';

/** The words that run a command in a network namespace with loopback and nothing else; undefined where this machine cannot make one. */
export function loopbackOnlyPrefix(): readonly string[] | undefined {
  for (const way of WAYS) {
    const prefix = ["unshare", ...way, "sh", "-c", WITH_LOOPBACK, "loopback-only"];
    const probe = spawnSync(prefix[0] ?? "", [...prefix.slice(1), "true"], { stdio: "ignore" });
    if (probe.status === 0) return prefix;
  }
  return undefined;
}
