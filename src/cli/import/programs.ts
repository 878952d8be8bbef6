import { IniDocument } from "../../core/ini.ts";
import { packageRole } from "../../ota/index.ts";

/** One `[program:x]` of supervisord's. */
export interface Program {
  readonly name: string;
  /** Its options as written, in order; of equal keys the last. */
  readonly options: ReadonlyMap<string, string>;
}

/** One file of supervisord's, taken apart. */
export interface ProgramFile {
  /** Absolute. */
  readonly file: string;
  readonly programs: readonly Program[];
  /** Programs that are the original engine itself, and its parts: this engine takes their place. */
  readonly originalParts: readonly string[];
  /** Sections that are no programs, such as `[group:x]`. */
  readonly others: readonly string[];
}

/** Never fails: what is no line of such a file is nothing that supervisord could have run either. */
export function readProgramFile(file: string, text: string): ProgramFile {
  const document = IniDocument.parse(text);
  const sections = [...new Set(document.entries.map(({ section }) => section))];
  const programs: Program[] = [];
  const originalParts: string[] = [];
  const others: string[] = [];
  for (const section of sections) {
    const name = /^program:\s*(.+?)\s*$/.exec(section)?.[1];
    if (name === undefined) others.push(section);
    else if (packageRole(name) !== "app") originalParts.push(name);
    else {
      const entries = document.entries.filter((entry) => entry.section === section);
      programs.push({ name, options: new Map(entries.map(({ key, value }) => [key, value])) });
    }
  }
  return { file, programs, originalParts, others };
}

/**
 * The program as a package's `supervisor.conf`. Where supervisord's meaning depends on where its file lies and where it
 * was started, the result says what that was.
 * @param here directory of supervisord's file
 */
export function supervisorConf({ name, options }: Program, here: string): string {
  const settled = new Map(options);
  // supervisord runs in the root; this engine would take the package's directory.
  if (!settled.has("directory")) settled.set("directory", "/");
  const lines = [...settled].map(([key, value]) => {
    const text = value.replaceAll("%(here)s", here.replaceAll("%", "%%")).replaceAll("\n", "\n    ");
    return `${key}=${text}\n`;
  });
  return `[program:${name}]\n${lines.join("")}`;
}
