import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { buildfileKeys, freshBuildfile, nameFault } from "../app-builder/index.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { CommandError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import type { Terminal } from "./terminal.ts";

export interface CreateBuildfileOptions {
  readonly file?: string | undefined;
  readonly name?: string;
  readonly version?: string;
}

interface Question {
  readonly text: string;
  /** Taken when the answer is empty. */
  readonly proposal: string;
  /** What is wrong with an answer: it is asked again. */
  readonly fault: (answer: string) => string | undefined;
}

const defaultFile = "build.json";

/** `gwe --create-buildfile`: asks on stderr for what the command line does not say; with -n and -s, nothing. */
export async function createBuildfile(options: CreateBuildfileOptions, context: GweContext): Promise<number> {
  const { terminal } = context;
  const asks = options.name === undefined || options.version === undefined;
  const dialogue = new Dialogue(terminal);
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

/** Questions and answers at a terminal, or through a pipe. */
class Dialogue {
  private readonly terminal: Terminal;
  private answers: AsyncGenerator<string, void> | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  /** @throws CommandError when stdin ends before there is an answer */
  async ask({ text, proposal, fault }: Question): Promise<string> {
    for (;;) {
      const line = await this.line(proposal === "" ? `${text}: ` : `${text} [${proposal}]: `);
      const answer = line.trim() === "" ? proposal : line.trim();
      const wrong = fault(answer);
      if (wrong === undefined) return answer;
      this.terminal.note(wrong);
    }
  }

  async agrees(question: string): Promise<boolean> {
    return /^y(es)?$/i.test((await this.line(`${question} [y/N] `)).trim());
  }

  async end(): Promise<void> {
    await this.answers?.return();
  }

  private async line(question: string): Promise<string> {
    this.terminal.prompt(question);
    this.answers ??= this.terminal.lines();
    const next = await this.answers.next();
    if (next.done) {
      this.terminal.note("");
      throw new CommandError("no answer; -n and -s give name and version without being asked");
    }
    return next.value;
  }
}
