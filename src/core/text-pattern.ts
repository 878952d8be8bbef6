/**
 * `A*,B?`: whether a text is, as a whole, like one of several patterns. `*` stands for any text, `?` for one character;
 * case does not matter. Without a pattern nothing matches.
 */
export function textPattern(patterns: string): (text: string) => boolean {
  const alternatives = patterns
    .split(",")
    .filter((pattern) => pattern !== "")
    .map((pattern) =>
      pattern
        .replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&")
        .replaceAll(/\*+/g, ".*")
        .replaceAll("?", "."),
    );
  if (alternatives.length === 0) return () => false;
  const expression = new RegExp(`^(?:${alternatives.join("|")})$`, "is");
  return (text) => expression.test(text);
}
