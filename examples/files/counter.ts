import { join } from "node:path";
import {
  openPrivateDirectory,
  readPrivateFile,
  withFileLock,
  writePrivateFile,
} from "@countersign/private-file";

/** Counts how often it was called, over all processes of this user. */
export async function countUp(home: string): Promise<number> {
  const directory = await openPrivateDirectory(home); // for instance "~/.my-agent"
  const file = join(directory, "count");
  return await withFileLock(`${file}.lock`, async (lock) => {
    const found = await readPrivateFile(file);
    const count = Number(found?.text ?? 0) + 1;
    await writePrivateFile(file, `${count}`, { lock });
    return count;
  });
}
