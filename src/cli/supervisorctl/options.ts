import { UsageError } from "../errors.ts";

export interface Options {
  readonly help: boolean;
  /** The action and its arguments. */
  readonly words: readonly string[];
}

/** supervisorctl's options that take a value. There is one engine here, and its socket is known: they say nothing. */
const withValue: Readonly<Record<string, string>> = {
  c: "configuration",
  s: "serverurl",
  u: "username",
  p: "password",
  r: "history-file",
};
const flags: Readonly<Record<string, string>> = { h: "help", i: "interactive" };

/**
 * Options come before the action, as with getopt: `tail -f` is an action with an argument.
 *
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[]): Options {
  const given = new Set<string>();
  const words = [...argv];
  while (words[0]?.startsWith("-") === true && words[0] !== "-") {
    const word = words.shift() ?? "";
    if (word === "--") break;
    for (const [name, isLast] of word.startsWith("--") ? longOption(word) : shortOptions(word)) {
      given.add(name);
      if (isLast && words.shift() === undefined) throw unknown(`option ${word} requires argument`);
    }
  }
  return { help: given.has("help"), words };
}

/** Each with whether its value is the next word. */
function* shortOptions(word: string): Generator<readonly [string, boolean]> {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] ?? "";
    const taking = withValue[letter];
    if (taking !== undefined) {
      yield [taking, at === word.length - 1];
      return;
    }
    const flag = flags[letter];
    if (flag === undefined) throw unknown(`option -${letter} not recognized`);
    yield [flag, false];
  }
}

function* longOption(word: string): Generator<readonly [string, boolean]> {
  const [typed = "", value] = word.slice(2).split("=", 2);
  const all = [...Object.values(withValue), ...Object.values(flags)];
  const matching = all.includes(typed) ? [typed] : all.filter((name) => name.startsWith(typed));
  const [name] = matching;
  if (name === undefined) throw unknown(`option --${typed} not recognized`);
  if (matching.length > 1) throw unknown(`option --${typed} not a unique prefix`);
  const takes = Object.values(withValue).includes(name);
  if (!takes && value !== undefined) throw unknown(`option --${name} must not have an argument`);
  yield [name, takes && value === undefined];
}

function unknown(text: string): UsageError {
  return new UsageError(`Error: ${text}`);
}
