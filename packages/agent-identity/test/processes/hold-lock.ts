// Holds a lock of a home's directory and says so: `hold-lock.ts LOCK [exit|busy]`. With `exit` the process ends itself while it holds it,
// with `busy` it then does nothing but that for five seconds, as in a call into the system's keyring. A line on its input lets it check that it still holds the lock.
import { withFileLock } from "@countersign/private-file";

const [lock = "", mode] = process.argv.slice(2);
await withFileLock(lock, async (held) => {
  process.stdout.write("held\n");
  if (mode === "exit") process.exit(0);
  if (mode === "busy") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const result = await held.assertHeld().then(
    () => "still held",
    (error: unknown) => String(Object(error).code),
  );
  process.stdout.write(`${result}\n`);
});
process.stdin.destroy();
