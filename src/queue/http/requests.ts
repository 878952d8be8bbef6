import type { Series } from "../types.ts";
import { scanForm } from "./form.ts";
import { RequestProblem } from "./problem.ts";
import { parseTimestampMs } from "./timestamp.ts";

/** A dataport value holds at most this many bytes of UTF-8. */
const maxValueBytes = 65_536;
const maxAliasBytes = 512;

/** `<alias>=<value>[&…]`, all at one time. @throws RequestProblem 400 */
export function parseWrite(body: Buffer, nowMs: number): readonly Series[] {
  const series: Series[] = [];
  scanForm(body, (alias, value) => {
    checkAlias(alias);
    checkValue(alias, value);
    series.push({ alias, times: [nowMs], values: [value] });
  });
  if (series.length === 0) throw new RequestProblem(400, "nothing to write: expected <alias>=<value>[&…]");
  return series;
}

/** `<ts>=<value>[&…]` of the alias in the path. @throws RequestProblem 400 */
export function parseAliasRecord(alias: string, body: Buffer): readonly Series[] {
  checkAlias(alias);
  const builder = new SeriesBuilder(alias);
  scanForm(body, (timestamp, value) => builder.add(timestamp, value));
  const series = builder.build();
  if (series.values.length === 0) {
    throw new RequestProblem(400, "nothing to record: expected <ts>=<value>[&…]");
  }
  return [series];
}

/** `alias=<alias>&<ts>=<value>&…&alias=<alias>&…`. @throws RequestProblem 400 */
export function parseRecord(body: Buffer): readonly Series[] {
  const builders: SeriesBuilder[] = [];
  let current: SeriesBuilder | undefined;
  scanForm(body, (key, value) => {
    if (key === "alias") {
      checkAlias(value);
      current = new SeriesBuilder(value);
      builders.push(current);
    } else if (current === undefined) {
      throw new RequestProblem(400, "expected alias=<alias>&<ts>=<value>…");
    } else {
      current.add(key, value);
    }
  });
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

  add(timestamp: string, value: string): void {
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
