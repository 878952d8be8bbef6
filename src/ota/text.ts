/** Bytes that a text takes inside a JSON string, without the quotes. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** The text's start, at most `maxBytes` when written in JSON; an ellipsis marks a cut. */
export function cutText(text: string, maxBytes: number): string {
  if (jsonBytes(text) <= maxBytes) return text;
  let result = "";
  let bytes = 3;
  for (const character of text) {
    bytes += jsonBytes(character);
    if (bytes > maxBytes) break;
    result += character;
  }
  return `${result}…`;
}

/** The text's end, at most `maxBytes` when written in JSON, and how many bytes of UTF-8 were left out before it. */
export function cutToTail(text: string, maxBytes: number): { tail: string; bytesCut: number } {
  if (jsonBytes(text) <= maxBytes) return { tail: text, bytesCut: 0 };
  let bytes = 0;
  let start = text.length;
  while (start > 0) {
    const low = text.charCodeAt(start - 1);
    const paired = low >= 0xdc00 && low <= 0xdfff && start >= 2;
    const width = paired ? 2 : 1;
    bytes += jsonBytes(text.slice(start - width, start));
    if (bytes > maxBytes) break;
    start -= width;
  }
  return { tail: text.slice(start), bytesCut: Buffer.byteLength(text.slice(0, start)) };
}

/** A process' output as text: whatever the bytes, the result is valid Unicode and holds no NUL. */
export function decodeOutput(output: Uint8Array): string {
  return new TextDecoder("utf-8").decode(output).replaceAll("\0", "�");
}
