/** What the apps on the gateway write in the course of a day. */
import type { Random } from "../../src/core/clock.ts";
import type { Caller, Vms } from "../../src/queue/index.ts";

export interface Write {
  readonly atMs: number;
  readonly caller: Caller;
  /** Serial number. */
  readonly device: string;
  readonly alias: string;
  readonly lane: "live" | "backlog";
  /** Values that are there once only, with their distance from the moment of the request. */
  readonly points: readonly { readonly value: string; readonly offsetMs: number }[];
}

interface Writer {
  readonly caller: Caller;
  readonly device: string;
  readonly alias: string;
  readonly lane: "live" | "backlog";
  /** Between two writes. */
  readonly leastMs: number;
  readonly mostMs: number;
  readonly pointsOf: (count: number, random: Random) => Write["points"];
  nextMs: number;
  count: number;
}

export function writersOf({ vms, cik }: { readonly vms: readonly Vms[]; readonly cik: string }): Writer[] {
  const devices = [
    ...vms.map((identity) => ({ caller: { kind: "vms", ...identity } as const, device: identity.sn })),
    { caller: { kind: "cik", cik } as const, device: "by-cik" },
  ];
  return devices.flatMap((who) => [
    {
      ...who,
      alias: "level",
      lane: "live",
      leastMs: 1_100,
      mostMs: 30_000,
      pointsOf: one,
      nextMs: 0,
      count: 0,
    },
    {
      ...who,
      alias: "state & mode",
      lane: "live",
      leastMs: 5_000,
      mostMs: 90_000,
      pointsOf: one,
      nextMs: 0,
      count: 0,
    },
    {
      ...who,
      alias: "history",
      lane: "backlog",
      leastMs: 60_000,
      mostMs: 60_000,
      pointsOf: minute,
      nextMs: 0,
      count: 0,
    },
    {
      ...who,
      alias: "burst",
      lane: "live",
      leastMs: 60_000,
      mostMs: 900_000,
      pointsOf: one,
      nextMs: 0,
      count: 0,
    },
    {
      ...who,
      alias: "flood",
      lane: "backlog",
      leastMs: 600_000,
      mostMs: 7_200_000,
      pointsOf: flood,
      nextMs: 0,
      count: 0,
    },
  ]);
}

const one: Writer["pointsOf"] = (count) => [{ value: `v${count}&=%+\n é`, offsetMs: 0 }];

/** Ten points of the last minute, with fractions of seconds. */
const minute: Writer["pointsOf"] = (count, random) =>
  Array.from({ length: 10 }, (_, index) => ({
    value: `h${count}.${index}`,
    offsetMs: -60_000 + index * 6_000 + Math.floor(random() * 5_000),
  }));

/** More in one second than fit into a minute, now and then. */
const flood: Writer["pointsOf"] = (count, random) =>
  Array.from({ length: random() < 0.3 ? 70 : 7 }, (_, index) => ({
    value: `f${count}.${index}`,
    offsetMs: index * 10,
  }));

/** A burst is three writes within a second. */
const burst = { alias: "burst", size: 3, apartMs: 150 };

/** The next of all of them. */
export function nextWrite(writers: readonly Writer[], random: Random): Write {
  const [first] = [...writers].sort((a, b) => a.nextMs - b.nextMs);
  const writer = first as Writer;
  const { caller, device, alias, lane } = writer;
  const write = {
    atMs: writer.nextMs,
    caller,
    device,
    alias,
    lane,
    points: writer.pointsOf(writer.count, random),
  };
  writer.count += 1;
  const isInBurst = alias === burst.alias && writer.count % burst.size !== 0;
  writer.nextMs += isInBurst
    ? burst.apartMs
    : Math.round(writer.leastMs + random() * (writer.mostMs - writer.leastMs));
  return write;
}
