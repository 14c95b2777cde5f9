import type { Command } from "commander";
import { createProgram } from "../src/program.js";

const program = createProgram(
  new AbortController().signal,
  () => {},
  () => {},
);

/**
 * Looks a documented command line up in the program: its commands and its options.
 *
 * @param words - the line after `countersign`
 * @returns what the program does not have; empty when it has everything
 */
export function unknownWords(words: readonly string[]): readonly string[] {
  let command: Command = program;
  const unknown: string[] = [];
  let isValue = false;
  for (const word of words) {
    if (isValue) {
      isValue = false;
      continue;
    }
    // What follows is another program's.
    if (word === "--") break;
    if (word.startsWith("--")) {
      const name = word.split("=", 1)[0];
      const known = [...command.options, ...(command.parent?.options ?? [])];
      const option = known.find(({ long }) => long === name);
      if (option === undefined) unknown.push(word);
      isValue = option?.required === true && word === name;
      continue;
    }
    const next = command.commands.find((child) => child.name() === word);
    if (next !== undefined) command = next;
    else if (command.commands.length > 0 && command.registeredArguments.length === 0) {
      unknown.push(word);
    }
  }
  // A group does nothing by itself.
  if (command.commands.length > 0 && command.registeredArguments.length === 0) {
    if (unknown.length === 0 && command.name() !== "proxy") unknown.push(`${command.name()} …`);
  }
  return unknown;
}

/** Finds the command lines of `countersign` in a text, without what stands before and after them in a shell. */
export function documentedCommands(text: string): readonly (readonly string[])[] {
  const joined = text.replace(/```sql\n.*?```/gs, "").replace(/\\\n\s*#?\s*/g, " ");
  const lines = joined.matchAll(/(?:^|[\s|("'`]|\/bin\/)countersign ((?:[a-z-]+)[^\n`|;)>]*)/gm);
  return [...lines].map(([, line = ""]) => line.trim().split(/\s+/));
}
