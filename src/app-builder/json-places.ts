import { GweError } from "../core/errors.ts";

/** A place in a text: both count from 1, columns in UTF-16 units, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface PlacedJson {
  readonly value: unknown;
  /** Where the value at a path begins; of a path that is not there, the nearest ancestor. */
  placeOf(path: readonly PropertyKey[]): Place;
}

/** Not JSON: what was expected, and where. */
export class JsonSyntaxError extends GweError {
  readonly code = "JSON_SYNTAX";
  readonly place: Place;

  constructor(message: string, place: Place) {
    super(message, { context: { ...place } });
    this.place = place;
  }
}

const maxDepth = 100;
const space = /[ \t\r\n]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON excludes
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;

/**
 * `JSON.parse` that remembers where each value stands, so that what is wrong with one can be shown there. Stricter in
 * one thing: a key that stands twice in an object is refused, since one of the two would be ignored.
 *
 * @throws JsonSyntaxError
 */
export function parsePlacedJson(text: string): PlacedJson {
  return new Reader(text).read();
}

class Reader {
  private readonly text: string;
  private readonly places = new Map<string, number>();
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): PlacedJson {
    const value = this.value([]);
    this.take(space);
    if (this.at < this.text.length) this.fail("expected nothing more after the value");
    return { value, placeOf: (path) => this.placeOf(path) };
  }

  private value(path: readonly PropertyKey[]): unknown {
    this.take(space);
    if (path.length > maxDepth) this.fail("nested too deep");
    this.places.set(JSON.stringify(path), this.at);
    if (this.skip("{")) return this.object(path);
    if (this.skip("[")) return this.array(path);
    const token = this.take(string) ?? this.take(number) ?? this.take(word);
    if (token === undefined) this.fail(this.text[this.at] === '"' ? badString : "expected a value");
    return JSON.parse(token);
  }

  private object(path: readonly PropertyKey[]): unknown {
    const entries = new Map<string, unknown>();
    if (this.skip("}")) return {};
    do {
      this.take(space);
      const start = this.at;
      const token = this.take(string);
      if (token === undefined)
        this.fail(this.text[this.at] === '"' ? badString : 'expected a key in "quotes"');
      const key = JSON.parse(token) as string;
      if (entries.has(key)) this.fail(`the key ${token} is here a second time`, start);
      if (!this.skip(":")) this.fail(`expected ':' after the key ${token}`);
      entries.set(key, this.value([...path, key]));
    } while (this.skip(","));
    if (!this.skip("}")) this.fail("expected ',' or '}'");
    return Object.fromEntries(entries);
  }

  private array(path: readonly PropertyKey[]): unknown {
    const items: unknown[] = [];
    if (this.skip("]")) return items;
    do items.push(this.value([...path, items.length]));
    while (this.skip(","));
    if (!this.skip("]")) this.fail("expected ',' or ']'");
    return items;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const token = pattern.exec(this.text)?.[0];
    this.at += token?.length ?? 0;
    return token;
  }

  private skip(sign: string): boolean {
    this.take(space);
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }

  private fail(expected: string, at = this.at): never {
    const end = at >= this.text.length ? ", found the end of the file" : "";
    throw new JsonSyntaxError(`${expected}${end}`, this.placeAt(at));
  }

  private placeOf(path: readonly PropertyKey[]): Place {
    for (let length = path.length; length > 0; length--) {
      const offset = this.places.get(JSON.stringify(path.slice(0, length)));
      if (offset !== undefined) return this.placeAt(offset);
    }
    return this.placeAt(this.places.get("[]") ?? 0);
  }

  private placeAt(offset: number): Place {
    const before = this.text.slice(0, offset).split("\n");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
}

const badString = "the text that begins here does not end, or holds a bad escape or control character";
