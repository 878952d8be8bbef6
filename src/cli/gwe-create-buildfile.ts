import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { buildfileKeys, freshBuildfile, nameFault } from "../app-builder/index.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { Dialogue, type Question } from "./dialogue.ts";
import { CommandError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";

export interface CreateBuildfileOptions {
  readonly file?: string | undefined;
  readonly name?: string;
  readonly version?: string;
}

const defaultFile = "build.json";

/** `gwe --create-buildfile`: asks on stderr for what the command line does not say; with -n and -s, nothing. */
export async function createBuildfile(options: CreateBuildfileOptions, context: GweContext): Promise<number> {
  const { terminal } = context;
  const asks = options.name === undefined || options.version === undefined;
  const dialogue = new Dialogue(terminal, "-n and -s give name and version without being asked");
  try {
    const file = options.file ?? (asks ? await dialogue.ask(fileQuestion) : defaultFile);
    const path = resolve(file);
    if (existsSync(path) && !(asks && (await dialogue.agrees(`${file} is there already. Replace it?`)))) {
      throw new CommandError(`${file} is there already and was left as it is`);
    }
    const name = options.name ?? (await dialogue.ask(nameQuestion(path)));
    const version = options.version ?? (await dialogue.ask(versionQuestion(name)));
    const fault = nameFault(name, version);
    if (fault !== undefined) throw new CommandError(fault);
    writeFileAtomic(path, freshBuildfile(name, version), { mode: 0o644 });
    await terminal.write(explanation(file));
    return 0;
  } finally {
    await dialogue.end();
  }
}

const fileQuestion: Question = { text: "Buildfile", proposal: defaultFile, fault: () => undefined };

function nameQuestion(path: string): Question {
  const directory = basename(dirname(path));
  const proposal = nameFault(directory, "1") === undefined ? directory : "";
  return { text: "App name", proposal, fault: (answer) => nameFault(answer, "1") };
}

function versionQuestion(name: string): Question {
  return { text: "Version", proposal: "1", fault: (answer) => nameFault(name, answer) };
}

function explanation(file: string): string {
  const width = Math.max(...Object.keys(buildfileKeys).map((key) => key.length));
  const keys = Object.entries(buildfileKeys).map(([key, text]) => `  ${key.padEnd(width)}  ${text}`);
  return `Wrote ${file}. Its keys:\n${keys.join("\n")}\nBuild the package with: gwe --build-app ${file}\n`;
}
