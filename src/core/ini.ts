import { GweError } from "./errors.ts";

/** A value or key that this format cannot hold. The value itself is not in the message: it may be a secret. */
export class IniValueError extends GweError {
  readonly code = "INI_VALUE";
}

export interface IniEntry {
  readonly section: string;
  /** In lower case, as Python's configparser compares keys. */
  readonly key: string;
  /** Without surrounding space and inline comment; continuation lines are joined by a line feed. */
  readonly value: string;
  /** 1-based line of the key. */
  readonly line: number;
}

interface PlacedEntry extends IniEntry {
  /** Index into the pieces of text. */
  readonly piece: number;
}

interface Section {
  readonly name: string;
  /** The piece after which a new key of this section is put. */
  lastPiece: number;
}

const sectionLine = /^\s*\[([^\]]+)\]\s*(?:[#;].*)?$/;
const entryLine = /^(\s*)([^:=\s[#;][^:=]*?)\s*[:=]/;
const blankOrComment = /^\s*(?:[#;].*)?$/;
const keyPattern = /^[A-Za-z0-9_.-]+$/;

/**
 * An INI text that can be changed key by key while every other byte stays: comments, order, spacing, unknown keys,
 * line ends. Immutable: a change returns a new document.
 *
 * The dialect is that of Python's configparser, which wrote these files: `[section]`, `key = value` or
 * `key: value`, comments in lines that start with `#` or `;` and after ` ;`, keys without regard to case, the last
 * of several equal keys wins, a more deeply indented next line continues a value.
 */
export class IniDocument {
  /** The text cut into lines (with their ends); a key's continuation lines are in one piece with it. */
  private readonly pieces: readonly string[];
  private readonly placed: readonly PlacedEntry[];
  private readonly sections: readonly Section[];
  private readonly eol: string;
  /** 1-based lines that are neither section, key nor comment. They are kept, and mean nothing. */
  readonly faultyLines: readonly number[];

  private constructor(parsed: Parsed) {
    this.pieces = parsed.pieces;
    this.placed = parsed.entries;
    this.sections = parsed.sections;
    this.faultyLines = parsed.faultyLines;
    this.eol = parsed.eol;
  }

  /** Never fails: what cannot be understood is in `faultyLines`. */
  static parse(text: string): IniDocument {
    return new IniDocument(parseText(text));
  }

  /** All keys in file order, repeated ones included. */
  get entries(): readonly IniEntry[] {
    return this.placed;
  }

  /** The entry that counts: the last of that name. */
  get(section: string, key: string): IniEntry | undefined {
    return this.find(section, key);
  }

  /**
   * Sets one key; a new one goes to the end of its section, a new section to the end of the text.
   * @throws IniValueError for what would not be read back as it was given
   */
  with(section: string, key: string, value: string): IniDocument {
    refuseUnwritable(section, key, value);
    const existing = this.find(section, key);
    if (existing !== undefined) {
      return this.spliced(existing.piece, 1, [replaceValue(this.pieces[existing.piece] ?? "", value)]);
    }
    const line = `${key}${separator(value)}${value}${this.eol}`;
    const home = this.sections.findLast(({ name }) => name === section);
    if (home !== undefined) {
      const next = this.pieces[home.lastPiece + 1] ?? "";
      // As deep as what follows, which would else become its continuation.
      const indent = blankOrComment.test(content(next, 1)) ? "" : (/^\s*/.exec(next)?.[0] ?? "");
      return this.spliced(home.lastPiece + 1, 0, [indent + line]);
    }
    const gap = this.pieces.length === 0 ? [] : [this.eol];
    return this.spliced(this.pieces.length, 0, [...gap, `[${section}]${this.eol}`, line]);
  }

  /** Removes every key of that name. */
  without(section: string, key: string): IniDocument {
    const doomed = new Set(
      this.placed
        .filter((entry) => entry.section === section && entry.key === key.toLowerCase())
        .map(({ piece }) => piece),
    );
    return doomed.size === 0
      ? this
      : IniDocument.parse(this.pieces.filter((_, index) => !doomed.has(index)).join(""));
  }

  toString(): string {
    return this.pieces.join("");
  }

  private find(section: string, key: string): PlacedEntry | undefined {
    const wanted = key.toLowerCase();
    return this.placed.findLast((entry) => entry.section === section && entry.key === wanted);
  }

  private spliced(at: number, removed: number, added: readonly string[]): IniDocument {
    const pieces = [...this.pieces];
    // What follows the last line needs a line of its own.
    const before = pieces[at - 1];
    if (removed === 0 && before !== undefined && !before.endsWith("\n")) pieces[at - 1] = before + this.eol;
    pieces.splice(at, removed, ...added);
    return IniDocument.parse(pieces.join(""));
  }
}

interface Parsed {
  readonly pieces: string[];
  readonly entries: PlacedEntry[];
  readonly sections: Section[];
  readonly faultyLines: number[];
  readonly eol: string;
}

function parseText(text: string): Parsed {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const parsed: Parsed = {
    pieces: [],
    entries: [],
    sections: [],
    faultyLines: [],
    eol: lines[0]?.endsWith("\r\n") ? "\r\n" : "\n",
  };
  let open: { entry: PlacedEntry; indent: number } | undefined;
  for (const [index, raw] of lines.entries()) {
    const line = content(raw, index);
    const indent = line.length - line.trimStart().length;
    if (open !== undefined && indent > open.indent && !blankOrComment.test(line)) {
      const { entry } = open;
      parsed.pieces[entry.piece] += raw;
      const joined = { ...entry, value: `${entry.value}\n${withoutInlineComment(line).trim()}` };
      parsed.entries[parsed.entries.length - 1] = joined;
      open = { entry: joined, indent: open.indent };
      continue;
    }
    parsed.pieces.push(raw);
    const entry = parseLine(line, index + 1, parsed);
    open = entry && { entry, indent };
  }
  return parsed;
}

/** Notes what one line is; returns the entry where it holds a key. */
function parseLine(line: string, number: number, parsed: Parsed): PlacedEntry | undefined {
  if (blankOrComment.test(line)) return undefined;
  const piece = parsed.pieces.length - 1;
  const header = sectionLine.exec(line);
  if (header) {
    parsed.sections.push({ name: header[1] ?? "", lastPiece: piece });
    return undefined;
  }
  const match = entryLine.exec(line);
  const section = parsed.sections.at(-1);
  if (!match || section === undefined) {
    parsed.faultyLines.push(number);
    return undefined;
  }
  const entry = {
    section: section.name,
    key: (match[2] ?? "").toLowerCase(),
    value: withoutInlineComment(line.slice(match[0].length)).trim(),
    line: number,
    piece,
  };
  section.lastPiece = piece;
  parsed.entries.push(entry);
  return entry;
}

/** A line without its end, and the first without a byte order mark. */
function content(raw: string, index: number): string {
  const line = raw.replace(/\r?\n$/, "");
  return index === 0 && line.startsWith("\uFEFF") ? line.slice(1) : line;
}

function withoutInlineComment(text: string): string {
  const start = text.search(/\s;/);
  return start < 0 ? text : text.slice(0, start);
}

/** Puts a value into a key's text, keeping indentation, delimiter, inline comment and line end. */
function replaceValue(piece: string, value: string): string {
  const end = piece.indexOf("\n");
  const first = content(end < 0 ? piece : piece.slice(0, end + 1), 1);
  const lineEnd = /\r?\n$/.exec(piece)?.[0] ?? "";
  const head = entryLine.exec(first)?.[0] ?? "";
  const rest = first.slice(head.length);
  const body = withoutInlineComment(rest);
  const comment = rest.slice(body.length);
  const gap = /^\s*/.exec(body)?.[0] ?? "";
  const tail = comment === "" ? (/\s*$/.exec(body.slice(gap.length))?.[0] ?? "") : comment;
  return `${head}${gap === "" && value !== "" && head.endsWith(" =") ? " " : gap}${value}${tail}${lineEnd}`;
}

function separator(value: string): string {
  return value === "" ? " =" : " = ";
}

function refuseUnwritable(section: string, key: string, value: string): void {
  const fail = (reason: string): never => {
    throw new IniValueError(`[${section}] ${key}: ${reason}`, { context: { section, key } });
  };
  if (!/^[^\]\r\n]+$/.test(section)) fail("not a section name");
  if (!keyPattern.test(key)) fail("not a key name");
  if (/[\r\n]/.test(value)) fail("a value is one line");
  if (value.trim() !== value) fail("a value does not start or end with a space");
  if (/(^|\s);/.test(value))
    fail("a value holds no ';' at its start or after a space: a comment would begin there");
}
