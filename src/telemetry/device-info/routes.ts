import type { DefaultRoute } from "./facts.ts";

const rtfUp = 0x1;
const rtfReject = 0x200;

/** Default routes of `/proc/net/route` (IPv4, addresses as little- or big-endian words) and `/proc/net/ipv6_route`. */
export function parseDefaultRoutes(
  ipv4: string,
  ipv6: string,
  littleEndian: boolean,
): readonly DefaultRoute[] {
  return [...ipv4Routes(ipv4, littleEndian), ...ipv6Routes(ipv6)].sort((a, b) => a.metric - b.metric);
}

function* ipv4Routes(text: string, littleEndian: boolean): Generator<DefaultRoute> {
  for (const line of text.split("\n").slice(1)) {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (name === undefined || gateway === undefined || flags === undefined) continue;
    if (destination !== "00000000" || mask !== "00000000" || !isUsable(flags)) continue;
    yield {
      interface: name,
      gateway: gateway === "00000000" ? null : ipv4Address(gateway, littleEndian),
      metric: Number(metric),
    };
  }
}

function* ipv6Routes(text: string): Generator<DefaultRoute> {
  for (const line of text.split("\n")) {
    const [destination, prefix, , , gateway, metric, , , flags, name] = line.trim().split(/\s+/);
    if (name === undefined || flags === undefined || metric === undefined || gateway === undefined) continue;
    // The kernel's own entry that refuses what nothing else matches stands on lo.
    if (!/^0+$/.test(destination ?? "x") || prefix !== "00" || name === "lo" || !isUsable(flags)) continue;
    yield {
      interface: name,
      gateway: /^0+$/.test(gateway) ? null : ipv6Address(gateway),
      metric: Number.parseInt(metric, 16),
    };
  }
}

function isUsable(flags: string): boolean {
  const bits = Number.parseInt(flags, 16);
  return (bits & rtfUp) !== 0 && (bits & rtfReject) === 0;
}

function ipv4Address(word: string, littleEndian: boolean): string {
  const bytes = (word.match(/../g) ?? []).map((hex) => Number.parseInt(hex, 16));
  return (littleEndian ? bytes.reverse() : bytes).join(".");
}

/** In the short form of RFC 5952: the longest run of zero groups as `::`. */
function ipv6Address(digits: string): string {
  const groups = (digits.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16));
  const text = groups.join(":");
  const zeros = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return text;
  const before = text.slice(0, zeros.index);
  return `${before}::${text.slice(zeros.index + zeros[0].length).replace(/^:/, "")}`;
}

/** Name servers of a `resolv.conf`. */
export function parseResolvConf(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, server = ""]) => server);
}
