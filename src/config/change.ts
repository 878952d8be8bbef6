import { unquoteEmpty } from "../core/cik.ts";
import { IniDocument, IniValueError } from "../core/ini.ts";
import type { ConfigFault } from "./errors.ts";
import type { Option } from "./option.ts";
import { cikOption } from "./options.ts";

/** A value that is to be written, and the options that its section knows. */
export interface CheckedChange {
  readonly file: string;
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly options: readonly Option<unknown>[];
}

/** Why a value cannot be set; undefined where it can. The empty text (or `''`) restores the default. */
export function changeFault({ file, section, key, value, options }: CheckedChange): ConfigFault | undefined {
  const option = options.find((candidate) => candidate.key === key);
  if (option === undefined) {
    return { file, section, key, expected: `no such key; known: ${options.map((o) => o.key).join(", ")}` };
  }
  const text = unquoteEmpty(value);
  const unwritable = unwritableReason(section, key, text);
  if (unwritable !== undefined) return { file, expected: unwritable };
  if (text === "" || option.schema.safeParse(text).success) return undefined;
  return { file, section, key, ...(key === cikOption.key ? {} : { value }), expected: option.expected };
}

/** As the original writes "nothing". */
export function asWritten(value: string): string {
  return unquoteEmpty(value) === "" ? "''" : value;
}

/** Why the file's format cannot hold a value: known before the first of several files is written. */
function unwritableReason(section: string, key: string, value: string): string | undefined {
  try {
    IniDocument.parse("").with(section, key, value);
    return undefined;
  } catch (error) {
    if (error instanceof IniValueError) return error.message;
    throw error;
  }
}
