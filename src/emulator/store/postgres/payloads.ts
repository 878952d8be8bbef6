import { z } from "zod";
import { type Message, messageSchema } from "../../cluster/message.ts";

/** PostgreSQL takes less than 8,000 bytes. */
const maxBytes = 7_900;

const payloadSchema = z.object({ from: z.string(), messages: z.array(messageSchema) });

export type Payload = z.infer<typeof payloadSchema>;

/** Messages as few payloads of a NOTIFY. One that is too long for any becomes `everything`. */
export function toPayloads(from: string, messages: readonly Message[]): string[] {
  const payloads: string[] = [];
  const start = `{"from":${JSON.stringify(from)},"messages":[`;
  const room = maxBytes - Buffer.byteLength(start) - 2;
  let texts: string[] = [];
  let size = 0;
  const finish = () => {
    if (texts.length > 0) payloads.push(`${start}${texts.join(",")}]}`);
    texts = [];
    size = 0;
  };
  for (const message of messages) {
    let text = JSON.stringify(message);
    if (Buffer.byteLength(text) > room) text = JSON.stringify({ kind: "everything" } satisfies Message);
    const bytes = Buffer.byteLength(text) + 1;
    if (size + bytes > room) finish();
    texts.push(text);
    size += bytes;
  }
  finish();
  return payloads;
}

/** Undefined for what no emulator sends. */
export function parsePayload(text: string): Payload | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return payloadSchema.safeParse(value).data;
}
