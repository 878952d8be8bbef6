import type * as z from "zod/mini";
import { CommandError } from "../errors.ts";

/** An answer of the console's own interface. @throws CommandError where it is none */
export function parseConsoleAnswer<T extends z.ZodMiniType>(schema: T, text: string): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommandError("the server's answer is no JSON: is it the console's server?", { cause });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new CommandError("the console's answer is not understood");
  return parsed.data;
}
