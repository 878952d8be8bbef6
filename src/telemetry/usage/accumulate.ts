import type { ConsumerUsage, InterfaceUsage, UsageState } from "./usage-state.ts";

/** One interface's counters, as the kernel has them. */
export interface KernelCounters {
  readonly name: string;
  /** Tells an interface from one that had the same name before. */
  readonly ifindex: number;
  readonly rx: number;
  readonly tx: number;
}

/** When something was seen to flow. */
export interface UsageMoment {
  readonly bootId: string;
  /** Milliseconds since the boot. */
  readonly sinceBootMs: number;
  readonly nowMs: number;
  /** Else `nowMs` may say anything, such as 1970. */
  readonly isTimeKnown: boolean;
}

export interface CounterReading extends UsageMoment {
  readonly interfaces: readonly KernelCounters[];
}

/** One audited request, on the interface that it took. */
export interface Traffic extends UsageMoment {
  readonly interface: string;
  readonly consumer: string;
  readonly rx: number;
  readonly tx: number;
}

/** Before this program was written: what it counts flowed after it, whatever the clock said. */
const earliestSinceS = Date.UTC(2026, 0, 1) / 1000;

const range32 = 2 ** 32;
/** Serial numbers and names come from outside: more of them than this are counted together. */
const mostConsumers = 64;
const otherConsumers = "other";
const mostAway = 64;

/**
 * Adds what has flowed since the last reading. The first reading of all is only where counting begins; an interface
 * that came, or came back anew, since the last one has counted from zero. One that is away keeps its sums.
 */
export function accumulateCounters(state: UsageState, reading: CounterReading): UsageState {
  const isSameBoot = state.bootId === reading.bootId;
  const dated = reading.isTimeKnown ? withDates(state.interfaces, reading) : state.interfaces;
  const interfaces = isSameBoot ? { ...dated } : withoutCounters(dated);
  for (const { name, ifindex, rx, tx } of reading.interfaces) {
    const known = interfaces[name] ?? newInterface(reading);
    const before = startingPoint(state, known, ifindex);
    interfaces[name] = {
      ...known,
      rx: known.rx + (before === undefined ? 0 : advanced(before.rx, rx)),
      tx: known.tx + (before === undefined ? 0 : advanced(before.tx, tx)),
      counters: { ifindex, rx, tx },
    };
  }
  const present = new Set(reading.interfaces.map(({ name }) => name));
  return { bootId: reading.bootId, interfaces: withoutOldest(interfaces, present) };
}

/** Bytes of all programs, both ways, that one reading has more than an earlier one; by interface, where there are any. */
export function bytesBetween(before: UsageState, after: UsageState): ReadonlyMap<string, number> {
  const flows = new Map<string, number>();
  for (const [name, { rx, tx }] of Object.entries(after.interfaces)) {
    const known = before.interfaces[name];
    const bytes = rx + tx - (known === undefined ? 0 : known.rx + known.tx);
    if (bytes > 0) flows.set(name, bytes);
  }
  return flows;
}

/**
 * A container host makes interfaces of ever new names: of those that are away, only so many are remembered. One that is
 * there is never forgotten, since it would be counted from zero again.
 */
function withoutOldest(
  interfaces: Record<string, InterfaceUsage>,
  present: ReadonlySet<string>,
): Record<string, InterfaceUsage> {
  const away = Object.keys(interfaces).filter((name) => !present.has(name));
  if (away.length <= mostAway) return interfaces;
  const bytes = (name: string): number => (interfaces[name]?.rx ?? 0) + (interfaces[name]?.tx ?? 0);
  const forgotten = new Set(away.sort((a, b) => bytes(b) - bytes(a)).slice(mostAway));
  return Object.fromEntries(Object.entries(interfaces).filter(([name]) => !forgotten.has(name)));
}

/** A modem may come up long after the boot: its counters of the boot before must not be taken for this one's. */
function withoutCounters(interfaces: UsageState["interfaces"]): Record<string, InterfaceUsage> {
  return Object.fromEntries(
    Object.entries(interfaces).map(([name, usage]) => [name, { ...usage, counters: undefined }]),
  );
}

/** Undefined: nothing is known of what the counters were. */
function startingPoint(
  state: UsageState,
  { counters }: InterfaceUsage,
  ifindex: number,
): { readonly rx: number; readonly tx: number } | undefined {
  if (state.bootId === undefined) return undefined;
  return counters?.ifindex === ifindex ? counters : { rx: 0, tx: 0 };
}

/**
 * A counter that went back has either wrapped at 32 bits (drivers of modems, 32-bit kernels) or was set to zero by its
 * driver. A wrap is taken for one where it means less than half the range: a driver that starts anew just below the
 * wrap cannot be told from it.
 */
function advanced(before: number, now: number): number {
  if (now >= before) return now - before;
  const wrapped = now + range32 - before;
  return before < range32 && wrapped < range32 / 2 ? wrapped : now;
}

export function accumulateTraffic(state: UsageState, traffic: Traffic): UsageState {
  const { rx, tx } = traffic;
  const known = state.interfaces[traffic.interface] ?? newInterface(traffic);
  const isRoom = traffic.consumer in known.consumers || Object.keys(known.consumers).length < mostConsumers;
  const consumer = isRoom ? traffic.consumer : otherConsumers;
  const sum: ConsumerUsage = known.consumers[consumer] ?? noTraffic;
  const consumers = {
    ...known.consumers,
    [consumer]: {
      totalRx: sum.totalRx + rx,
      maxRx: Math.max(sum.maxRx, rx),
      totalTx: sum.totalTx + tx,
      maxTx: Math.max(sum.maxTx, tx),
      requests: sum.requests + 1,
    },
  };
  return { ...state, interfaces: { ...state.interfaces, [traffic.interface]: { ...known, consumers } } };
}

const noTraffic: ConsumerUsage = { totalRx: 0, maxRx: 0, totalTx: 0, maxTx: 0, requests: 0 };

function newInterface({ bootId, sinceBootMs, nowMs, isTimeKnown }: UsageMoment): InterfaceUsage {
  const undated = isTimeKnown ? {} : { undated: { bootId, sinceBootMs } };
  return { since: Math.floor(nowMs / 1000), ...undated, rx: 0, tx: 0, consumers: {} };
}

/**
 * Beginnings at the time that is known now. One of an earlier boot, which never learned the time, is lost: the earliest
 * that it can have been stands in.
 */
function withDates(interfaces: UsageState["interfaces"], now: UsageMoment): UsageState["interfaces"] {
  const isWrong = ({ since, undated }: InterfaceUsage) => undated !== undefined || since < earliestSinceS;
  if (!Object.values(interfaces).some(isWrong)) return interfaces;
  return Object.fromEntries(
    Object.entries(interfaces).map(([name, usage]) => {
      if (!isWrong(usage)) return [name, usage];
      const { undated, ...rest } = usage;
      const agoMs = undated?.bootId === now.bootId ? now.sinceBootMs - undated.sinceBootMs : undefined;
      const since = agoMs === undefined ? earliestSinceS : Math.floor((now.nowMs - agoMs) / 1000);
      return [name, { ...rest, since }];
    }),
  );
}
