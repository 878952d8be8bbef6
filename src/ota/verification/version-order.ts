/**
 * Words that announce a release instead of following one, in their order. They put a version before the same version
 * without them.
 */
const preReleaseWords = ["dev", "snapshot", "alpha", "beta", "pre", "preview", "rc"];

/** One run of digits or letters behind the dotted numbers. */
interface Token {
  /** Pre-release word < end of the version < other word < number. */
  readonly rank: number;
  /** A number's digits without leading zeros, or a word in lower case. */
  readonly text: string;
}

interface ParsedVersion {
  /** The dotted numbers in front, without trailing zeros; undefined where the version starts with something else. */
  readonly numbers: readonly string[] | undefined;
  readonly tail: readonly Token[];
}

const endRank = 0;
const wordRank = 1;
const numberRank = 2;
const end: Token = { rank: endRank, text: "" };

/**
 * A total order of versions: negative when `a` is older, positive when it is newer, 0 when both mean the same.
 *
 * 1. The dotted numbers in front, each by value; missing ones count as 0: `1` = `1.0` < `1.2` < `1.10`. A version
 *    that does not start with a number is older than every one that does.
 * 2. What follows, cut into runs of digits and of letters (what stands between them, and upper or lower case, means
 *    nothing), run by run: a pre-release word (`dev`, `snapshot`, `alpha`, `beta`, `pre`, `preview`, `rc`, in this
 *    order) < nothing < another word, by its letters < a number, by its value:
 *    `1-rc1` < `1-rc2` < `1` < `1-hotfix` < `1-0-6` < `1-0-10` < `1.0.1`.
 *
 * A commit's hash (`10_0ca92e7`) has a place in the order, but no meaning: a number has to come before it.
 */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  return compareNumbers(left.numbers, right.numbers) || compareTails(left.tail, right.tail);
}

/** Whether `candidate` is older than what is installed. The same version again is no downgrade. */
export function isDowngrade(installed: string, candidate: string): boolean {
  return compareVersions(candidate, installed) < 0;
}

function parseVersion(version: string): ParsedVersion {
  const head = /^[0-9]+(?:\.[0-9]+)*/.exec(version)?.[0];
  const runs = version.slice(head?.length ?? 0).match(/[0-9]+|[A-Za-z]+/g) ?? [];
  return { numbers: head === undefined ? undefined : dottedNumbers(head), tail: runs.map(tokenOf) };
}

function dottedNumbers(head: string): readonly string[] {
  const numbers = head.split(".").map(withoutLeadingZeros);
  return numbers.slice(0, numbers.findLastIndex((number) => number !== "0") + 1);
}

function tokenOf(run: string): Token {
  if (/^[0-9]/.test(run)) return { rank: numberRank, text: withoutLeadingZeros(run) };
  const word = run.toLowerCase();
  const announced = preReleaseWords.indexOf(word);
  return announced < 0
    ? { rank: wordRank, text: word }
    : { rank: announced - preReleaseWords.length, text: word };
}

function withoutLeadingZeros(digits: string): string {
  return digits.replace(/^0+(?=[0-9])/, "");
}

function compareNumbers(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = compareDigits(a[index] ?? "0", b[index] ?? "0");
    if (order !== 0) return order;
  }
  return 0;
}

function compareTails(a: readonly Token[], b: readonly Token[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index] ?? end;
    const right = b[index] ?? end;
    const order = left.rank - right.rank || compareTexts(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function compareTexts(a: Token, b: Token): number {
  return a.rank === numberRank ? compareDigits(a.text, b.text) : compareStrings(a.text, b.text);
}

/** By value, for numbers of any length. */
function compareDigits(a: string, b: string): number {
  return a.length - b.length || compareStrings(a, b);
}

function compareStrings(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
