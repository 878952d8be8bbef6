import type { HelpText } from "./help-text.ts";

/** Placeholders of help texts → shell words that can stand there. Where nothing fits, bash completes file names. */
const values: Readonly<Record<string, string>> = {
  IFACE: "$(ls /sys/class/net 2>/dev/null)",
  LEVEL: "DEBUG INFO WARNING ERROR CRITICAL",
  APP: "$(ls /var/lib/gateway-engine/apps 2>/dev/null)",
};

interface Word {
  /** Of an option or a command. */
  readonly names: readonly string[];
  /** What follows the names: further words, and placeholders in capitals. */
  readonly follows: string;
}

/** Completion of one command by bash: a script that needs nothing else. */
export function bashCompletion(command: string, help: HelpText): string {
  const words = help.sections.flatMap(({ entries }) => entries).flatMap(({ head }) => wordsOf(command, head));
  const options = words.filter(({ names }) => names.some(isOption));
  const commands = mergeByName(words.filter(({ names }) => !names.some(isOption)));
  const first = [...commands.keys(), ...options.flatMap(({ names }) => names)];
  const cases = [
    ...options
      .filter(({ follows }) => follows !== "")
      .map(({ names, follows }) => shellCase(`*:${names.join(" | *:")}`, follows)),
    ...[...commands].map(([name, follows]) => shellCase(`${name}:*`, follows)),
    `    :*) words="${first.join(" ")}" ;;`,
  ];
  const name = `_gateway_engine_${command}`;
  return `# bash completion of ${command}, made from what \`${command} -h\` prints
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} called= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      *)
        called=$word
        break
        ;;
    esac
  done
  case $called:$prev in
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F ${name} ${command}
`;
}

function isOption(name: string): boolean {
  return name.startsWith("-");
}

/** The words that an entry of the help begins with: an option's names, or each of several commands. */
function wordsOf(command: string, head: string): readonly Word[] {
  if (isOption(head)) {
    const [names = ""] = /^(?:--?[\w-]+(?:, )?)+/.exec(head) ?? [];
    return [{ names: names.split(", "), follows: head.slice(names.length) }];
  }
  return head.split(", ").flatMap((one) => {
    const typed = one.startsWith(`${command} `) ? one.slice(command.length + 1) : one;
    const [first = "", ...rest] = typed.split(" ");
    return first.split("|").map((name) => ({ names: [name], follows: rest.join(" ") }));
  });
}

function mergeByName(words: readonly Word[]): ReadonlyMap<string, string> {
  const merged = new Map<string, string>();
  for (const { names, follows } of words) {
    for (const name of names) merged.set(name, `${merged.get(name) ?? ""} ${follows}`);
  }
  return merged;
}

/** What may stand after a word: words as they are, and what is known of the placeholders. */
function shellCase(pattern: string, follows: string): string {
  const plain = follows.replaceAll(/<[^>]*>/g, "").match(/(?<![\w.-])(?:--?)?[a-z][a-z-]*(?![\w.-])/g) ?? [];
  const placeholders = (follows.match(/\b[A-Z]+\b/g) ?? []).flatMap((name) => values[name] ?? []);
  return `    ${pattern}) words="${[...new Set([...plain, ...placeholders])].join(" ")}" ;;`;
}
