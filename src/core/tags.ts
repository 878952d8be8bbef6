/**
 * Tags of a gateway: the words of the text that Murano keeps with its serial number (`extra`), apart by spaces, commas
 * or semicolons. Each once, in their order.
 */
export function tagsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter((word) => word !== ""))];
}

/** What a filter could not tell from its own signs is no tag. */
const tagPattern = /^[^\s,;"*?-][^\s,;"*?]{0,63}$/u;

/** Whether this can be given as a tag. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

export interface TagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A serial's text with tags added and removed. Where that changes nothing, the very text. */
export function withTags(text: string, { add, remove }: TagChange): string {
  const before = tagsOf(text);
  const kept = before.filter((tag) => !remove.includes(tag));
  const fresh = add.filter((tag) => !kept.includes(tag));
  if (kept.length === before.length && fresh.length === 0) return text;
  return tagsOf([...kept, ...fresh].join(" ")).join(" ");
}
