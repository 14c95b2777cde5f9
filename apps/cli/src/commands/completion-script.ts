import type { Command } from "commander";

/** The shells that a completion script can be made for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** The words that may follow a command: its subcommands and its long options. */
interface Completions {
  /** The command's words, without the program's name; empty for the program. */
  readonly path: string;
  readonly words: readonly string[];
}

/** Makes the script that a shell completes the commands and options of a program with. */
export function createCompletionScript(program: Command, shell: Shell): string {
  const name = program.name();
  const completions = listCompletions(program, "");
  if (shell === "fish") return fishScript(name, completions);
  const script = bashScript(name, completions);
  return shell === "bash" ? script : `autoload -U +X bashcompinit && bashcompinit\n${script}`;
}

function listCompletions(command: Command, path: string): readonly Completions[] {
  const names = command.commands.map((child) => child.name());
  const options = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
  const below = command.commands.flatMap((child) =>
    listCompletions(child, path === "" ? child.name() : `${path} ${child.name()}`),
  );
  return [{ path, words: [...names, ...options, "--help"] }, ...below];
}

// The path is made of the words before the cursor that are known to lead on; values of options lead nowhere.
function bashScript(name: string, completions: readonly Completions[]): string {
  return `_${name}() {
  local path="" next word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
      ${pathsPattern(completions, "|")}) path="$next" ;;
    esac
  done
  case "$path" in
${completions.map(({ path, words }) => `    "${path}") COMPREPLY=($(compgen -W "${words.join(" ")}" -- "\${COMP_WORDS[COMP_CWORD]}")) ;;`).join("\n")}
  esac
}
complete -o default -F _${name} ${name}`;
}

function fishScript(name: string, completions: readonly Completions[]): string {
  return `function __${name}_words
  set -l path ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$path $word")
    switch "$next"
      case ${pathsPattern(completions, " ")}
        set path "$next"
    end
  end
  switch "$path"
${completions.map(({ path, words }) => `    case "${path}"\n      printf '%s\\n' ${words.join(" ")}`).join("\n")}
  end
end
complete -c ${name} -a "(__${name}_words)"`;
}

function pathsPattern(completions: readonly Completions[], separator: string): string {
  return completions
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path}"`)
    .join(separator);
}
