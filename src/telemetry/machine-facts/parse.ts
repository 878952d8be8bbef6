import * as z from "zod/mini";
import type { MachineFacts } from "../device-info/facts.ts";

const schema = z.object({
  os: z.object({ distro: z.string(), release: z.string(), codename: z.string() }),
  machine: z.object({ manufacturer: z.string(), model: z.string(), serial: z.string() }),
});

/** What `machine-facts` printed; undefined when it is not what it promises. */
export function parseMachineFacts(text: string): MachineFacts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
