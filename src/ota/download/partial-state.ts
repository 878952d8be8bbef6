import * as z from "zod/mini";

/** What tells one upload of a content from another. */
export interface ContentVersion {
  readonly id: string;
  readonly sizeBytes: number;
  /** Unix seconds of the upload. */
  readonly updatedAt: number;
}

/** What is known to be on disk of a content, to the letter: the side file of a partial download. */
export interface PartialState extends ContentVersion {
  readonly heldBytes: number;
  readonly chunkBytes: number;
  /** SHA-256 of each chunk held, in hex; the last chunk ends at `heldBytes`. */
  readonly digests: readonly string[];
}

const mebibyte = 1024 * 1024;
const maxChunks = 256;

/** No side file is longer: 256 digests and a few numbers. */
export const maxStateBytes = 32 * 1024;

/** Whole MiB, and never more than 256 chunks: the side file of a big package stays small. */
export function chunkBytesFor(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / (maxChunks * mebibyte))) * mebibyte;
}

const wholeNumber = z.number().check(z.int(), z.nonnegative());

const schema = z.object({
  format: z.literal(1),
  id: z.string(),
  sizeBytes: wholeNumber,
  updatedAt: wholeNumber,
  heldBytes: wholeNumber,
  chunkBytes: z.number().check(z.int(), z.positive()),
  digests: z.array(z.string().check(z.regex(/^[0-9a-f]{64}$/))).check(z.maxLength(maxChunks)),
});

export function encodeState({
  id,
  sizeBytes,
  updatedAt,
  heldBytes,
  chunkBytes,
  digests,
}: PartialState): string {
  return `${JSON.stringify({ format: 1, id, sizeBytes, updatedAt, heldBytes, chunkBytes, digests })}\n`;
}

/** Undefined for what is no such state, or contradicts itself. */
export function parseState(text: string): PartialState | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return undefined;
  const { sizeBytes, heldBytes, chunkBytes, digests } = parsed.data;
  const fits =
    heldBytes <= sizeBytes &&
    chunkBytes === chunkBytesFor(sizeBytes) &&
    digests.length === Math.ceil(heldBytes / chunkBytes);
  return fits ? parsed.data : undefined;
}

export function isSameVersion(one: ContentVersion, other: ContentVersion): boolean {
  return one.id === other.id && one.sizeBytes === other.sizeBytes && one.updatedAt === other.updatedAt;
}
