import { existsSync } from "node:fs";
import { QueueConfigStore, type QueueOption } from "../config/index.ts";
import { parseArguments } from "./arguments.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { QueueClient } from "./queue-client.ts";
import { suggestion } from "./suggestion.ts";

type QueueFile = "gmqCfg" | "loggingCfg";

/** `gmq cfg|log [get [SECTION [OPTION]] | set SECTION OPTION VALUE]` */
export async function configureQueue(
  file: QueueFile,
  argv: readonly string[],
  context: GweContext,
): Promise<number> {
  const word = file === "gmqCfg" ? "cfg" : "log";
  const { configIo } = await import("../daemon/config-io.ts");
  const store = new QueueConfigStore({ paths: context.paths, io: configIo, file });
  // A value may look like an option of ours: these words are taken as they are.
  const [action = "get", ...words] = argv;
  if (action === "get" && words.length <= 2) return show(store, words, context);
  if (action === "set" && words.length === 3) return set(store, words, context);
  throw new UsageError(
    `usage: gmq ${word} [get [SECTION [OPTION]]], or gmq ${word} set SECTION OPTION VALUE`,
  );
}

/** `gmq reread` */
export async function reread(argv: readonly string[], { terminal, paths }: GweContext): Promise<number> {
  if (parseArguments([], argv).positionals.length > 0) throw new UsageError("usage: gmq reread");
  await new QueueClient({ socketPath: paths.controlSocket }).reread();
  await terminal.write("The queue has read its configuration again.\n");
  return 0;
}

/** One option's value alone, for scripts; else sections with `option = value`. */
async function show(
  store: QueueConfigStore,
  [section, key]: readonly string[],
  { terminal }: GweContext,
): Promise<number> {
  const options = store.options();
  const shown = options.filter(
    (option) =>
      (section === undefined || option.section === section) &&
      (key === undefined || option.key === key.toLowerCase()),
  );
  if (shown.length === 0) throw unknownOption(options, section ?? "", key);
  await terminal.write(
    key === undefined
      ? describe(section === undefined ? store.path : undefined, shown)
      : `${shown[0]?.value}\n`,
  );
  return 0;
}

async function set(
  store: QueueConfigStore,
  [section = "", key = "", value = ""]: readonly string[],
  { terminal, paths }: GweContext,
): Promise<number> {
  store.set(section, key, value);
  await terminal.write(
    describe(
      undefined,
      store.options().filter((option) => option.section === section),
    ),
  );
  if (existsSync(paths.controlSocket)) {
    terminal.note("gmq: note: 'gmq reread' has the running queue take this up");
  }
  return 0;
}

function describe(path: string | undefined, options: readonly QueueOption[]): string {
  const sections = [...new Set(options.map(({ section }) => section))];
  const text = sections.map((section) => {
    const lines = options
      .filter((option) => option.section === section)
      .map(({ key, value }) => `${key} = ${value === "" ? "''" : value.replaceAll("\n", "\n  ")}\n`);
    return `[${section}]\n${lines.join("")}`;
  });
  return `${path === undefined ? "" : `# ${path}\n`}${text.join("\n")}`;
}

function unknownOption(
  options: readonly QueueOption[],
  section: string,
  key: string | undefined,
): CommandError {
  const inSection = options.filter((option) => option.section === section);
  const [what, candidates] =
    key === undefined || inSection.length === 0
      ? [`no section '${section}'`, options.map((option) => option.section)]
      : [`no option '${key}' in [${section}]`, inSection.map((option) => option.key)];
  const word = key === undefined || inSection.length === 0 ? section : key;
  const meant = suggestion(word, [...new Set(candidates)]);
  return new CommandError(`${what}${meant ? `: did you mean '${meant}'?` : "; 'gmq cfg' shows all"}`);
}
