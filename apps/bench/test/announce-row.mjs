// Loaded before a program of the bench: tells the process of a row from the others.
if (process.argv[1]?.endsWith("row-program.ts")) console.error(`row-program ${process.pid}`);
