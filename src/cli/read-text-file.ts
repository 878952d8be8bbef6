import { readFileSync, statSync } from "node:fs";
import { CommandError } from "./errors.ts";

const maxBytes = 1024 * 1024;

/**
 * A small text file that a person named.
 * @throws CommandError when it cannot be read, or is too large to be what was meant
 */
export function readTextFile(file: string): string {
  let text: string;
  try {
    if (statSync(file).size > maxBytes) {
      throw new CommandError(`${file} is larger than ${maxBytes} bytes: this is no buildfile`);
    }
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot read ${file}`, { cause: error });
  }
  return text;
}
