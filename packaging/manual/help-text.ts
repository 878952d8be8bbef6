/** What `-h` of a command prints, in its parts: the one source of its man page and its completion. */
export interface HelpText {
  /** The ways to call it, one a line. */
  readonly usage: readonly string[];
  readonly sections: readonly HelpSection[];
}

export interface HelpSection {
  /** What stands before a colon above the entries, or before the text ("Exit status"). */
  readonly title: string | undefined;
  readonly text: readonly string[];
  readonly entries: readonly HelpEntry[];
}

export interface HelpEntry {
  /** As it is typed: `-h, --help`, `status [--json]`. */
  readonly head: string;
  readonly text: string;
}

/** The column in which explanations begin. */
const column = 26;
const titled = /^([A-Z][a-z]+(?: [a-z]+)?)(?: \(([^)]*)\))?: ?(.*)$/s;

/**
 * Parses a help text: `usage: …`, then blocks between empty lines. A block's lines are prose at the left edge, or
 * entries: two spaces, a head, and an explanation that begins in column 26, on the same line or the next.
 *
 * @throws SyntaxError at a line that is neither
 */
export function parseHelp(text: string): HelpText {
  const [first = "", ...blocks] = text.trimEnd().split("\n\n");
  if (!first.startsWith("usage:")) throw new SyntaxError(`no usage in the first block: ${first}`);
  // gdc lists its procedures as its usage.
  const listed = first.startsWith("usage:\n");
  const usage = listed ? [] : first.split("\n").map((line) => line.replace(/^usage:|^ {6}/, "").trim());
  const sections = blocks.map(parseBlock);
  if (listed) sections.unshift({ ...parseBlock(first.slice("usage:\n".length)), title: "Commands" });
  return { usage, sections };
}

function parseBlock(block: string): HelpSection {
  const prose: string[] = [];
  const entries: HelpEntry[] = [];
  for (const line of block.split("\n")) {
    const entry = /^ {2}(\S.*?)(?: {2,}(\S.*))?$/.exec(line);
    if (/^\S/.test(line) && entries.length === 0) prose.push(line);
    else if (entry) entries.push({ head: entry[1] ?? "", text: entry[2] ?? "" });
    else explainLast(entries, line);
  }
  const [, title, remark, rest = ""] = titled.exec(prose.join("\n")) ?? [];
  if (title === undefined) return { title, text: prose, entries };
  const text = remark === undefined ? rest : `${remark[0]?.toUpperCase()}${remark.slice(1)}.\n${rest}`;
  return { title, text: text.split("\n").filter((line) => line !== ""), entries };
}

function explainLast(entries: HelpEntry[], line: string): void {
  const last = entries.pop();
  if (last === undefined || !line.startsWith(" ".repeat(column))) {
    throw new SyntaxError(`neither prose nor an entry nor an explanation in column ${column}: ${line}`);
  }
  const more = line.slice(column);
  entries.push({ ...last, text: last.text === "" ? more : `${last.text}\n${more}` });
}
