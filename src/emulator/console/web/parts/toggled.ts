/** The same set with this one in it, or without it where it was. */
export function toggled<T>(set: ReadonlySet<T>, one: T): ReadonlySet<T> {
  const after = new Set(set);
  if (!after.delete(one)) after.add(one);
  return after;
}
