import type { Series } from "../types.ts";
import { type Pair, parseForm } from "./form.ts";
import { RequestProblem } from "./problem.ts";
import { parseTimestampMs } from "./timestamp.ts";

/** A dataport value holds at most this many bytes of UTF-8. */
const maxValueBytes = 65_536;
const maxAliasBytes = 512;

/** `<alias>=<value>[&…]`, all at one time. @throws RequestProblem 400 */
export function parseWrite(body: Buffer, nowMs: number): readonly Series[] {
  const series = parseForm(body).map(([alias, value]): Series => {
    checkAlias(alias);
    checkValue(alias, value);
    return { alias, times: [nowMs], values: [value] };
  });
  if (series.length === 0) throw new RequestProblem(400, "nothing to write: expected <alias>=<value>[&…]");
  return series;
}

/** `<ts>=<value>[&…]` of the alias in the path. @throws RequestProblem 400 */
export function parseAliasRecord(alias: string, body: Buffer): readonly Series[] {
  checkAlias(alias);
  const pairs = parseForm(body);
  const series = new SeriesBuilder(alias);
  for (const pair of pairs) series.add(pair);
  if (pairs.length === 0) throw new RequestProblem(400, "nothing to record: expected <ts>=<value>[&…]");
  return [series.build()];
}

/** `alias=<alias>&<ts>=<value>&…&alias=<alias>&…`. @throws RequestProblem 400 */
export function parseRecord(body: Buffer): readonly Series[] {
  const builders: SeriesBuilder[] = [];
  for (const pair of parseForm(body)) {
    if (pair[0] === "alias") {
      checkAlias(pair[1]);
      builders.push(new SeriesBuilder(pair[1]));
      continue;
    }
    const current = builders.at(-1);
    if (current === undefined) throw new RequestProblem(400, "expected alias=<alias>&<ts>=<value>…");
    current.add(pair);
  }
  const series = builders.map((builder) => builder.build()).filter(({ values }) => values.length > 0);
  if (series.length === 0) {
    throw new RequestProblem(400, "nothing to record: expected alias=<alias>&<ts>=<value>…");
  }
  return series;
}

class SeriesBuilder {
  private readonly alias: string;
  private readonly times: number[] = [];
  private readonly values: string[] = [];

  constructor(alias: string) {
    this.alias = alias;
  }

  add([timestamp, value]: Pair): void {
    const timeMs = parseTimestampMs(timestamp);
    if (timeMs === undefined) {
      throw new RequestProblem(400, `'${timestamp.slice(0, 40)}' is no time: expected unix seconds`);
    }
    checkValue(this.alias, value);
    this.times.push(timeMs);
    this.values.push(value);
  }

  build(): Series {
    const { alias, times, values } = this;
    return { alias, times, values };
  }
}

function checkAlias(alias: string): void {
  if (alias === "" || Buffer.byteLength(alias) > maxAliasBytes) {
    throw new RequestProblem(400, `an alias has 1 to ${maxAliasBytes} bytes`);
  }
}

function checkValue(alias: string, value: string): void {
  // A character has three bytes at most (four, where it counts for two).
  if (value.length * 3 <= maxValueBytes || Buffer.byteLength(value) <= maxValueBytes) return;
  throw new RequestProblem(400, `the value of '${alias}' has more than ${maxValueBytes} bytes`);
}
