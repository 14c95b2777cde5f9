type Sqlite = typeof import("node:sqlite");

/**
 * Loads `node:sqlite` only when a store is opened, because Node 22 prints an ExperimentalWarning as the module loads, and programs that
 * open no store must stay quiet. Only that warning is dropped: `getBuiltinModule` is synchronous, so no other warning comes while it runs.
 */
export function loadSqlite(): Sqlite {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!isSqliteWarning(warning, rest[0])) Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

function isSqliteWarning(warning: string | Error, type: unknown): boolean {
  return type === "ExperimentalWarning" && String(warning).startsWith("SQLite ");
}
