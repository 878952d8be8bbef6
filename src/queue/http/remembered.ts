/**
 * What was made of a header, for the few values of it that come again with every request. Bounded: a value that has
 * never been seen starts it anew when it is full.
 */
export class Remembered<Value> {
  private readonly known = new Map<string, Value>();
  private readonly make: (text: string) => Value;

  /** @param make of a header's text; what it throws is not remembered */
  constructor(make: (text: string) => Value) {
    this.make = make;
  }

  of(text: string): Value {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const value = this.make(text);
    if (this.known.size >= maxRemembered) this.known.clear();
    this.known.set(text, value);
    return value;
  }
}

const maxRemembered = 256;
