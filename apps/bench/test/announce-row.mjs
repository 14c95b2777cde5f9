// Loaded before each program of the bench: a process that runs a row prints its id, so that the test can find it among the others.
if (process.argv[1]?.endsWith("row-program.ts")) console.error(`row-program ${process.pid}`);
