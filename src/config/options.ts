import * as z from "zod/mini";
import { cikRule, isCik } from "../core/cik.ts";
import { longestTimerS } from "../core/clock.ts";
import { type Option, type OptionsOf, oneOf, seconds, wholeNumber, yesOrNo } from "./option.ts";
import { type BudgetConfig, type DeviceConfig, type EngineConfig, logLevels } from "./types.ts";
import { engineVersion } from "./version.ts";

const text = (key: string, pattern: RegExp, expected: string): Option<string | undefined> => ({
  key,
  schema: z.string().check(z.regex(pattern)),
  fallback: undefined,
  expected,
});

// Vendor, model and serial travel in one header, parted by spaces (spec: gmq.md, "Who is asking").
const name = (key: string) =>
  text(key, /^[\x21-\x7e]{1,100}$/, "1 to 100 characters of ASCII without spaces");
const absoluteFile = (key: string) => text(key, /^\/[^\0]*$/, "the absolute path of a PEM file");

const origin = z.pipe(
  z.string().check(z.refine((value) => parseOrigin(value) !== undefined)),
  z.transform((value) => parseOrigin(value)),
);

/** `scheme://host[:port]` without anything behind it but one slash; undefined for everything else. */
function parseOrigin(value: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\s]+\/?$/i.test(value) || !URL.canParse(value)) return undefined;
  return new URL(value).origin;
}

export const deviceOptions: OptionsOf<DeviceConfig> = {
  vendor: name("vendor"),
  model: name("model"),
  serial: text("uuid", /^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/, "1 to 100 characters of ASCII"),
  iface: text("iface", /^[^\s/]{1,15}$/, "the name of a network interface, such as eth0"),
  activationRetryIntervalS: seconds("activation_retry_interval", longestTimerS, 300),
  serverUrl: {
    key: "server_url",
    schema: origin,
    fallback: undefined,
    expected: "http:// or https://, a host and perhaps a port, such as https://murano.example.com:8443",
  },
  caFile: absoluteFile("ca_file"),
  certFile: absoluteFile("cert_file"),
  keyFile: absoluteFile("key_file"),
};

export const engineOptions: OptionsOf<EngineConfig> = {
  updateIntervalS: seconds("update_interval", longestTimerS, 14_400),
  checkIn: oneOf("check_in", ["interval", "long-poll"], "interval"),
  logLevel: oneOf("debug_level", logLevels, "INFO"),
  userAgent: {
    key: "user_agent",
    schema: z.string().check(z.regex(/^[\x20-\x7e]{1,200}$/)),
    fallback: `GatewayEngine-v${engineVersion}`,
    expected: "1 to 200 characters of printable ASCII",
  },
  installerTimeoutS: seconds("installer_timeout", 86_400, 1800),
  installerOutputKib: {
    key: "installer_output_kib",
    schema: wholeNumber(1, 64),
    fallback: 48,
    expected: "a whole number of KiB from 1 to 64",
  },
  fetchStatusFormat: oneOf("fetch_status_format", ["json", "text"], "json"),
  probationS: seconds("probation", 86_400, 30),
  fatalRetryS: {
    key: "fatal_retry_interval",
    schema: wholeNumber(0, longestTimerS),
    fallback: 600,
    expected: `a whole number of seconds from 0 (never) to ${longestTimerS}`,
  },
  keptVersions: {
    key: "kept_versions",
    schema: wholeNumber(2, 20),
    fallback: 2,
    expected: "a whole number from 2 to 20",
  },
  keptVersionsMib: {
    key: "kept_versions_mib",
    schema: wholeNumber(0, 1_048_576),
    fallback: 256,
    expected: "a whole number of MiB from 0 to 1048576",
  },
  diskReserveMib: {
    key: "disk_reserve_mib",
    schema: wholeNumber(0, 1_048_576),
    fallback: 32,
    expected: "a whole number of MiB from 0 to 1048576",
  },
  appLogsMib: {
    key: "app_logs_mib",
    schema: wholeNumber(1, 1_048_576),
    fallback: 50,
    expected: "a whole number of MiB from 1 to 1048576",
  },
  downloadBytesPerSecond: {
    key: "download_bytes_per_second",
    schema: wholeNumber(0, 1_000_000_000),
    fallback: 0,
    expected: "a whole number of bytes from 0 (no limit) to 1000000000",
  },
  releaseUrl: {
    key: "release_url",
    schema: z.pipe(
      z.string().check(z.regex(/^https?:\/\/[^\s?#@]+$/)),
      z.transform((value) => value.replace(/\/+$/, "")),
    ),
    fallback: undefined,
    expected: "http:// or https:// with a host and, where needed, a path",
  },
  requireSignature: oneOf("require_signature", ["never", "if-keys", "always"], "if-keys"),
  allowDowngrade: yesOrNo("allow_downgrade", true),
};

export const budgetOptions: OptionsOf<BudgetConfig> = {
  dailyKib: {
    key: "daily_kib",
    schema: wholeNumber(0, 1_073_741_824),
    fallback: 0,
    expected: "a whole number of KiB from 0 (no limit) to 1073741824",
  },
  monthlyMib: {
    key: "monthly_mib",
    schema: wholeNumber(0, 1_048_576),
    fallback: 0,
    expected: "a whole number of MiB from 0 (no limit) to 1048576",
  },
  warningPercent: {
    key: "warning_percent",
    schema: wholeNumber(1, 100),
    fallback: 80,
    expected: "a whole number from 1 to 100",
  },
  resetDay: {
    key: "reset_day",
    schema: wholeNumber(1, 28),
    fallback: 1,
    expected: "a day of the month from 1 to 28",
  },
  action: oneOf("action", ["report", "hold-backlog", "hold-all-but-urgent"], "report"),
};

/** Not part of `Config`, but checked with it. */
export const cikOption: Option<string> = {
  key: "cik",
  schema: z.string().check(z.refine(isCik)),
  fallback: "",
  expected: cikRule,
};
