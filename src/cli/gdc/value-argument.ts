import { readFileSync } from "node:fs";
import { CommandError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";

/**
 * A value as it was given: itself, `-` for all of stdin, `@FILE` for a file's content. Nothing is taken away or
 * added, so a file's last line break is part of the value.
 * @throws CommandError when the file cannot be read, or what was read is not UTF-8
 */
export async function readValue(argument: string, terminal: Terminal): Promise<string> {
  if (argument === "-") return terminal.readStdin();
  if (!argument.startsWith("@")) return argument;
  const file = argument.slice(1);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new CommandError(
      `cannot read ${file} (${(cause as NodeJS.ErrnoException).code}); a value that starts with '@' is given by '-'`,
      { cause },
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CommandError(`${file} is not UTF-8: a dataport holds text`, { cause });
  }
}
