import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { describeError } from "../../core/errors.ts";
import type { CommandClock } from "../command-clock.ts";
import type { ClocklessDevice } from "../connect-device.ts";
import { judgeOffset } from "./check-clock.ts";
import { explainFailure } from "./explain-failure.ts";
import { type Finding, fault, ok } from "./finding.ts";

const patienceMs = 10_000;

export interface ConnectionQuestion {
  readonly baseUrl: string;
  readonly device: Pick<ClocklessDevice, "api">;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Knows the time afterwards, where Murano was reached. */
  readonly clock: CommandClock;
}

export interface ConnectionResult {
  readonly findings: readonly Finding[];
  /** Murano answered, so that more may be asked of it. */
  readonly isReached: boolean;
}

/** From this gateway's own addresses to an answer of Murano, as far as it gets. */
export async function checkConnection(question: ConnectionQuestion): Promise<ConnectionResult> {
  const { baseUrl, device, env, clock } = question;
  const { host, hostname, protocol } = new URL(baseUrl);
  const findings: Finding[] = [...ownAddresses()];
  // Behind a proxy it is the proxy that looks the name up.
  const hasProxy = Boolean(
    env[`${protocol.slice(0, -1)}_proxy`] || env[`${protocol.slice(0, -1)}_proxy`.toUpperCase()],
  );
  if (!hasProxy) {
    const named = await checkName(hostname.replace(/^\[(.*)\]$/, "$1"));
    findings.push(named);
    if (named.level === "fault") return { findings, isReached: false };
  }
  const began = performance.now();
  try {
    const aheadMs = await clock.ask(device.api, { signal: AbortSignal.timeout(3 * patienceMs) });
    findings.push(ok("network", `${host} answers in ${Math.round(performance.now() - began)} ms`));
    if (protocol === "https:") findings.push(ok("tls", `the certificate of ${host} is trusted`));
    else findings.push({ area: "tls", level: "note", text: `${host} is spoken to without TLS` });
    findings.push(judgeOffset(aheadMs));
    return { findings, isReached: true };
  } catch (error) {
    findings.push(explainFailure(error, host));
    return { findings, isReached: false };
  }
}

function ownAddresses(): readonly Finding[] {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    list
      .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
      .map(({ address }) => `${name} ${address}`),
  );
  if (addresses.length > 0) return [ok("network", `addresses: ${addresses.join(", ")}`)];
  return [
    {
      area: "network",
      level: "warning",
      text: "no network interface has an address",
      remedy: "bring one up: cable, SIM card, Wi-Fi password, DHCP; 'ip address' shows them",
    },
  ];
}

async function checkName(name: string): Promise<Finding> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new DOMException(`no answer within ${patienceMs / 1000} s`, "TimeoutError")),
    patienceMs,
  );
  try {
    const addresses = await Promise.race([lookup(name, { all: true }), late.promise]);
    return ok("dns", `${name} is ${addresses.map(({ address }) => address).join(", ")}`);
  } catch (error) {
    return fault(
      "dns",
      `${name} has no address (${describeError(error)})`,
      "check the name servers in /etc/resolv.conf, and that the product id is right: 'gwe --gateway-cfg'",
    );
  } finally {
    clearTimeout(timer);
  }
}
