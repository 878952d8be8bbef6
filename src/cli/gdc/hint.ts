import { GweError } from "../../core/errors.ts";

/** What a person can do about an error of Murano's; undefined where its message says all. By code, as exit-status.ts. */
export function hintFor(error: unknown): string | undefined {
  if (!(error instanceof GweError)) return undefined;
  const { procedure, status } = error as { procedure?: string; status?: number };
  switch (error.code) {
    case "UNAUTHORIZED":
      return "the CIK is void or belongs to another server; the gateway's own: gdc --gateway; a new one: gdc activate";
    case "CONFLICT":
      return procedure === "activate"
        ? "the serial is activated already, or not enabled: its owner has to open activation for it (for 24 hours)"
        : "timestamps of one alias must lie a second apart; the others of this request may have been taken";
    case "REJECTED":
      if (status === 404 && procedure === "activate")
        return "no such product or serial: its owner has to add it";
      if (status === 404) return "no such content: gdc content <cik> list";
      if (status === 403) return "this device is of another product: --product-id names it";
      return undefined;
    case "NETWORK":
      return reachHint(error.context.code);
    case "RATE_LIMITED":
      return "the server asks for fewer requests: wait before the next one";
    default:
      return undefined;
  }
}

function reachHint(code: unknown): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return "the server's name is not known here: check the network, DNS and the product id";
  }
  if (typeof code === "string" && /CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return "the server's certificate is not trusted: check this machine's clock, and ca_file for a private authority";
  }
  return "check the network and the server; the same call may succeed later";
}
