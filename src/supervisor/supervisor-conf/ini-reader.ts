import { SupervisorConfError } from "../errors.ts";

export interface IniOption {
  readonly value: string;
  /** Line of the key, from 1. */
  readonly line: number;
}

export interface IniSection {
  readonly name: string;
  /** Line of the (first) header, from 1. */
  readonly line: number;
  /** Keys in lower case; of duplicates the last. */
  readonly options: ReadonlyMap<string, IniOption>;
}

interface OpenOption {
  readonly key: string;
  readonly line: number;
  readonly parts: string[];
}

/**
 * Reads INI as supervisord's parser does (Python's RawConfigParser, not strict): `=` or `:`, keys in lower case,
 * deeper indented lines continue a value, `#` and `;` comment whole lines, ` ;` the rest of a line. Sections of the
 * same name are merged. Nothing is expanded.
 *
 * @throws SupervisorConfError with the line
 */
export function readIni(text: string): ReadonlyMap<string, IniSection> {
  const reader = new IniReader();
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  for (const [index, line] of lines.entries()) reader.line(line, index + 1);
  return reader.finish();
}

class IniReader {
  private readonly sections = new Map<
    string,
    { name: string; line: number; options: Map<string, IniOption> }
  >();
  private options: Map<string, IniOption> | undefined;
  private open: OpenOption | undefined;
  private indent = 0;

  line(raw: string, number: number): void {
    const comment = commentStart(raw);
    const content = (comment === undefined ? raw : raw.slice(0, comment)).trim();
    if (content === "") {
      // A blank line inside a value belongs to it; a comment line does not.
      if (comment === undefined) this.open?.parts.push("");
      return;
    }
    const indent = raw.search(/\S/);
    if (this.open !== undefined && indent > this.indent) {
      this.open.parts.push(content);
      return;
    }
    this.indent = indent;
    this.closeOption();
    const header = /^\[(.+)\]/.exec(content)?.[1];
    if (header !== undefined) this.openSection(header, number);
    else this.openOption(content, number);
  }

  finish(): ReadonlyMap<string, IniSection> {
    this.closeOption();
    return this.sections;
  }

  private openSection(name: string, line: number): void {
    const section = this.sections.get(name) ?? { name, line, options: new Map() };
    this.sections.set(name, section);
    this.options = section.options;
  }

  private openOption(content: string, line: number): void {
    if (this.options === undefined) {
      throw new SupervisorConfError(`line ${line}: ${quoted(content)} stands before any [section]`, {
        context: { line, text: content },
      });
    }
    const separator = content.search(/[=:]/);
    const key = content.slice(0, Math.max(0, separator)).trimEnd().toLowerCase();
    if (key === "") {
      throw new SupervisorConfError(`line ${line}: expected "option=value", found ${quoted(content)}`, {
        context: { line, text: content },
      });
    }
    this.open = { key, line, parts: [content.slice(separator + 1).trimStart()] };
  }

  private closeOption(): void {
    if (this.open !== undefined) {
      const value = this.open.parts.join("\n").trimEnd();
      this.options?.set(this.open.key, { value, line: this.open.line });
    }
    this.open = undefined;
  }
}

/** Where a comment begins, or undefined. */
function commentStart(line: string): number | undefined {
  if (/^\s*[#;]/.test(line)) return 0;
  const inline = line.search(/\s;/);
  return inline < 0 ? undefined : inline;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
