// Records what a process does with files: imported before everything else, so that every module gets these functions.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** What was done since the array was emptied last: `{ call, path }`. */
export const calls = [];

const pathOfDescriptor = new Map();
const CALLS = ["open", "readFile", "writeFile", "readdir", "opendir", "mkdir", "rename"];

for (const name of CALLS) {
  record(fs.promises, name);
  record(fs, name);
  record(fs, `${name}Sync`);
}
for (const name of ["fsync", "fdatasync", "fsyncSync", "fdatasyncSync"]) {
  if (typeof fs[name] === "function") record(fs, name);
}
syncBuiltinESMExports();

function record(holder, name) {
  const original = holder[name];
  holder[name] = function recorded(path, ...rest) {
    calls.push({ call: name.replace(/Sync$/, ""), path: pathOf(name, path) });
    const result = original.call(this, path, ...rest);
    return holder === fs.promises && name === "open" ? watchHandle(result, path) : result;
  };
}

// Of a descriptor that is synced: the path of its handle. Other descriptors may have been given again since.
function pathOf(name, path) {
  return String(name.endsWith("sync") ? (pathOfDescriptor.get(path) ?? path) : path);
}

async function watchHandle(opening, path) {
  const handle = await opening;
  pathOfDescriptor.set(handle.fd, String(path));
  for (const name of ["sync", "datasync"]) {
    const original = handle[name].bind(handle);
    handle[name] = () => {
      calls.push({ call: "fsync", path: String(path) });
      return original();
    };
  }
  return handle;
}
