import { UsageError } from "./errors.ts";
import { suggestion } from "./suggestion.ts";

/** One option of a command. */
export interface Flag {
  /** Without the dashes; the name under which it is asked for. */
  readonly long: string;
  readonly short?: string;
  /** Other long names of the same option. */
  readonly aliases?: readonly string[];
  /** What it takes: a value, at most one value, one or more values, or (absent) nothing. */
  readonly takes?: "value" | "optional" | "values";
  /** How the value is called in the help. */
  readonly value?: string;
  readonly help: string;
}

export interface ParsedArguments {
  /** Long name → values; an option without a value has an empty list. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
}

/** Whether help is asked for behind a command that has no `-h` of its own. */
export function isHelpAsked(argv: readonly string[]): boolean {
  return argv.includes("-h") || argv.includes("--help");
}

/**
 * Reads a command line as Python's argparse does, since scripts in the field were written for it: bundled short
 * options, `-t60`, `--opt=value`, unambiguous beginnings of long names; of a repeated option the last counts.
 *
 * @throws UsageError saying what is wrong and what may have been meant
 */
export function parseArguments(flags: readonly Flag[], argv: readonly string[]): ParsedArguments {
  const found = new Map<string, readonly string[]>();
  const positionals: string[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--") {
      positionals.push(...rest.splice(0));
    } else if (argument.startsWith("--")) {
      const [name = "", ...value] = argument.slice(2).split("=");
      const flag = byLongName(flags, name);
      found.set(
        flag.long,
        valuesOf(flag, `--${flag.long}`, value.length > 0 ? value.join("=") : undefined, rest),
      );
    } else if (argument.startsWith("-") && argument !== "-") {
      readShort(flags, argument.slice(1), rest, found);
    } else {
      positionals.push(argument);
    }
  }
  return { flags: found, positionals };
}

function readShort(
  flags: readonly Flag[],
  cluster: string,
  rest: string[],
  found: Map<string, readonly string[]>,
): void {
  for (let at = 0; at < cluster.length; at++) {
    const letter = cluster[at] ?? "";
    const flag = flags.find(({ short }) => short === letter);
    if (flag === undefined) throw new UsageError(`unknown option -${letter}; -h lists all`);
    if (flag.takes === undefined) {
      found.set(flag.long, []);
      continue;
    }
    const attached = cluster.slice(at + 1);
    found.set(flag.long, valuesOf(flag, `-${letter}`, attached === "" ? undefined : attached, rest));
    return;
  }
}

function byLongName(flags: readonly Flag[], name: string): Flag {
  const namesOf = (flag: Flag): readonly string[] => [flag.long, ...(flag.aliases ?? [])];
  const exact = flags.find((flag) => namesOf(flag).includes(name));
  if (exact) return exact;
  const begun =
    name === "" ? [] : flags.filter((flag) => namesOf(flag).some((full) => full.startsWith(name)));
  const [only] = begun;
  if (only && begun.length === 1) return only;
  if (begun.length > 1) {
    throw new UsageError(`--${name} could be ${begun.map(({ long }) => `--${long}`).join(" or ")}`);
  }
  const meant = suggestion(name, flags.flatMap(namesOf));
  throw new UsageError(`unknown option --${name}${meant ? `: did you mean --${meant}?` : "; -h lists all"}`);
}

/** The values of one option, taken from behind its name or from the arguments that follow. */
function valuesOf(
  flag: Flag,
  shown: string,
  attached: string | undefined,
  rest: string[],
): readonly string[] {
  if (flag.takes === undefined) {
    if (attached !== undefined) throw new UsageError(`${shown} takes no value`);
    return [];
  }
  if (attached !== undefined && flag.takes !== "values") return [attached];
  const values = attached === undefined ? [] : [attached];
  while (rest[0] !== undefined && !looksLikeOption(rest[0])) {
    values.push(rest.shift() ?? "");
    if (flag.takes !== "values") break;
  }
  if (values.length === 0 && flag.takes !== "optional") {
    const hint =
      rest[0] === undefined ? "" : ` (a value that starts with '-' is written --${flag.long}=${rest[0]})`;
    throw new UsageError(`${shown} needs a value: ${flag.value ?? "VALUE"}${hint}`);
  }
  return values;
}

function looksLikeOption(argument: string): boolean {
  return argument.startsWith("-") && argument !== "-";
}

function describeValue({ takes, value }: Flag): string {
  if (takes === undefined) return "";
  return { value: ` ${value}`, optional: ` [${value}]`, values: ` ${value}...` }[takes];
}

/** The options as lines of a help text. */
export function describeFlags(flags: readonly Flag[]): string {
  return flags
    .map((flag) => {
      const value = describeValue(flag);
      const names = [
        flag.short && `-${flag.short}`,
        ...[flag.long, ...(flag.aliases ?? [])].map((n) => `--${n}`),
      ];
      const head = `  ${names.filter(Boolean).join(", ")}${value}`;
      const lines = flag.help.split("\n").map((line) => `${" ".repeat(26)}${line}`);
      const [first = "", ...more] = lines;
      const fits = head.length < 25;
      return [fits ? head.padEnd(26) + first.trimStart() : `${head}\n${first}`, ...more].join("\n");
    })
    .join("\n");
}
