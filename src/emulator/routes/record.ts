import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { encodeForm, type FormPair, parseForm } from "../http/form.ts";
import { formType, noContent, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { maxRecordBytes } from "../limits.ts";
import { type RawPoint, spacePoints } from "../record-spacing.ts";
import type { Series } from "../store/store.ts";
import { requireDevice } from "./access.ts";
import { checkFormType, checkSize } from "./data.ts";
import type { RouteParts } from "./parts.ts";

/** Year 9999: what is beyond is no unix time in seconds. */
const maxTimestamp = 253_402_300_799;

/** Record, in both forms (spec: device-api.md, "Record"). */
export function recordRoutes(parts: RouteParts): readonly Route[] {
  return [
    {
      method: "POST",
      path: "/onep:v1/stack/record",
      procedure: "record",
      maxBodyBytes: maxRecordBytes,
      handle: (call) => record(parts, call, bySeries),
    },
    {
      method: "POST",
      path: "/onep:v1/stack/alias/*",
      procedure: "record-alias",
      maxBodyBytes: maxRecordBytes,
      handle: (call) => record(parts, call, (pairs) => [{ alias: call.param(0), pairs }]),
    },
  ];
}

interface RawSeries {
  readonly alias: string;
  readonly pairs: FormPair[];
}

async function record(
  parts: RouteParts,
  call: Call,
  group: (pairs: FormPair[]) => RawSeries[],
): Promise<Reply> {
  const client = await requireDevice(parts, call);
  checkFormType(call);
  const spaced = group(parseForm(call.body)).map(({ alias, pairs }) => ({
    alias,
    ...spacePoints(pairs.map(toRawPoint)),
  }));
  if (!spaced.some(({ kept }) => kept.length > 0)) throw new HttpProblem(400, "nothing to record");
  const series: Series[] = spaced.map(({ alias, kept }) => ({ alias, points: kept }));
  const aliases = series.map(({ alias }) => alias);
  call.notes.wrote = aliases;
  await parts.store.dataports.record(client.id, series, parts.clock.nowS());
  parts.hub.changed(client.id, aliases);
  const refused = spaced.filter((one) => one.refused.length > 0);
  if (refused.length === 0) return noContent;
  const body = refused.map((one) => `${encodeForm([[one.alias, Buffer.alloc(0)]])}${one.refused.join(",")}`);
  return { status: 409, headers: { "Content-Type": formType }, body: body.join("&") };
}

/** `alias=<alias>` opens a series; series of the same alias are one. */
function bySeries(pairs: readonly FormPair[]): RawSeries[] {
  const series = new Map<string, RawSeries>();
  let current: RawSeries | undefined;
  for (const pair of pairs) {
    if (pair.key === "alias") {
      const alias = pair.value?.toString() ?? "";
      if (alias === "") throw new HttpProblem(400, "an alias is empty");
      current = series.get(alias) ?? { alias, pairs: [] };
      series.set(alias, current);
    } else if (current) {
      current.pairs.push(pair);
    } else {
      throw new HttpProblem(400, "expected alias=<alias> first");
    }
  }
  return [...series.values()];
}

function toRawPoint({ key, value }: FormPair): RawPoint {
  if (value === undefined) throw new HttpProblem(400, "a timestamp has no value");
  const ts = /^\d{1,12}(\.\d{1,9})?$/.test(key) ? Number(key) : Number.NaN;
  if (!(ts <= maxTimestamp)) throw new HttpProblem(400, "a timestamp is not unix seconds");
  checkSize(value);
  return { text: key, ts, value };
}
