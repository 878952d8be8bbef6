import { unquoteEmpty } from "../core/cik.ts";
import type { IniDocument } from "../core/ini.ts";
import type { ConfigFault } from "./errors.ts";
import { readConfigFile } from "./files.ts";
import type { Option, OptionsOf } from "./option.ts";
import { cikOption } from "./options.ts";

/** Reads the keys of one section; what is invalid is noted as a fault, and the default stands in. */
export interface SectionReader {
  read<Value>(option: Option<Value>): Value;
  readAll<Section>(options: OptionsOf<Section>): Section;
}

/** A file, read, with what is no line of its format noted. @throws ConfigAccessError when this user may not read it */
export function openSections(file: string, faults: ConfigFault[]): (section: string) => SectionReader {
  return sectionsOf(readConfigFile(file).document, file, faults);
}

/** The same of a text that is in hand; `file` names it in faults. */
export function sectionsOf(
  document: IniDocument,
  file: string,
  faults: ConfigFault[],
): (section: string) => SectionReader {
  for (const line of document.faultyLines) {
    faults.push({ file, line, expected: "expected '[section]', 'key = value' or a comment" });
  }
  return (section) => readerOf(document, file, section, faults);
}

function readerOf(
  document: IniDocument,
  file: string,
  section: string,
  faults: ConfigFault[],
): SectionReader {
  const read = <Value>(option: Option<Value>): Value => readOption(document, file, section, option, faults);
  return {
    read,
    readAll: <Section>(options: OptionsOf<Section>): Section => {
      const entries = Object.entries<Option<unknown>>(options).map(([name, option]) => [name, read(option)]);
      // Each entry was read by the option of its own name.
      return Object.fromEntries(entries) as Section;
    },
  };
}

function readOption<Value>(
  document: IniDocument,
  file: string,
  section: string,
  option: Option<Value>,
  faults: ConfigFault[],
): Value {
  const entry = document.get(section, option.key);
  const value = unquoteEmpty(entry?.value ?? "");
  if (entry === undefined || value === "") return option.fallback;
  const parsed = option.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const shown = option.key === cikOption.key ? {} : { value };
  faults.push({ file, section, key: option.key, ...shown, line: entry.line, expected: option.expected });
  return option.fallback;
}
