import { describeError, GweError } from "../../core/errors.ts";
import { type Finding, fault, warning } from "./finding.ts";

/** Node's and OpenSSL's words for a broken exchange → where to look. */
const causes: readonly (readonly [RegExp, (server: string, text: string) => Finding])[] = [
  [
    /^(ENOTFOUND|EAI_)/,
    (server, text) =>
      fault(
        "dns",
        `${server} has no address (${text})`,
        "check the name servers in /etc/resolv.conf, and that the product id is right: 'gwe --gateway-cfg'",
      ),
  ],
  [
    /^(CERT_NOT_YET_VALID|CERT_HAS_EXPIRED)$/,
    (server, text) =>
      fault(
        "tls",
        `${server}'s certificate is not valid at this time (${text})`,
        "set the clock: 'timedatectl set-ntp true', or 'date -u -s <time>' and 'hwclock -w'; where it is right, the server needs a new certificate",
      ),
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/,
    (server, text) =>
      fault(
        "tls",
        `${server}'s certificate is signed by nobody whom the engine trusts (${text})`,
        "a firewall that looks into TLS, or a private server: set ca_file in Gateway.cfg to its authority",
      ),
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    (server, text) =>
      fault(
        "tls",
        `who answers for ${server} has a certificate of another name (${text})`,
        "check server_url in Gateway.cfg, the name servers, and whether a portal asks for a login first",
      ),
  ],
  [
    /^(EPROTO|ERR_SSL_)/,
    (server, text) =>
      fault(
        "tls",
        `${server} does not speak TLS as it should (${text})`,
        "check server_url in Gateway.cfg (http or https? the port?), and what lies between",
      ),
  ],
  [
    /^PROXY_REFUSED$/,
    (server, text) =>
      fault(
        "network",
        `the proxy does not let this gateway reach ${server} (${text})`,
        "check HTTPS_PROXY and NO_PROXY of the engine: 'systemctl edit gateway-engine'",
      ),
  ],
  [
    /./,
    (server, text) =>
      fault(
        "network",
        `${server} cannot be reached (${text})`,
        "check cable, modem and route ('ip address', 'ip route'), and that the firewall lets HTTPS out",
      ),
  ],
];

/** What a failed exchange with Murano means to an operator. @param server host and port, for the text */
export function explainFailure(error: unknown, server: string): Finding {
  const text = describeError(error);
  if (!(error instanceof GweError)) return fault("network", `${server}: ${text}`, "report this as a bug");
  switch (error.code) {
    case "NETWORK": {
      const code = String(error.context.code ?? "");
      const cause = causes.find(([pattern]) => pattern.test(code || "?"));
      return (cause?.[1] ?? unreachable)(server, text);
    }
    case "TIMEOUT":
      return unreachable(server, text);
    case "MALFORMED_ANSWER":
      return fault(
        "network",
        `what answers for ${server} is not Murano (${text})`,
        "a portal that asks for a login, or a proxy: sign in, or have this gateway let through",
      );
    case "SERVER":
    case "RATE_LIMITED":
      return warning(
        "murano",
        `${server}: ${text}`,
        "nothing to mend here: the engine tries again by itself",
      );
    case "DEVICE_CLIENT_OPTIONS":
      return fault("configuration", text, "mend the key that is named, or the proxy variable");
    default:
      return fault("murano", `${server}: ${text}`, "check server_url in Gateway.cfg: is Murano there?");
  }
}

function unreachable(server: string, text: string): Finding {
  return fault(
    "network",
    `${server} does not answer (${text})`,
    "check that a firewall lets HTTPS out: 'curl -v' to the same address shows how far it gets",
  );
}
