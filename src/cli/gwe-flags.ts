import type { Flag } from "./arguments.ts";

/** Options that set a key of the configuration: long name → where it goes. `set-product-id` goes to two. */
export const setters: Readonly<Record<string, readonly (readonly ["device" | "engine", string])[]>> = {
  "set-cik": [["device", "cik"]],
  "set-model": [["device", "model"]],
  "set-vendor": [["device", "vendor"]],
  "set-product-id": [
    ["device", "model"],
    ["device", "vendor"],
  ],
  "set-uuid": [["device", "uuid"]],
  "set-iface": [["device", "iface"]],
  "set-act-retry-interval": [["device", "activation_retry_interval"]],
  "set-update-interval": [["engine", "update_interval"]],
  "set-user-agent": [["engine", "user_agent"]],
};

export const printFlags: readonly Flag[] = [
  { long: "help", short: "h", help: "Print this text." },
  { long: "version", short: "v", help: "Print the version." },
  { long: "path", short: "p", help: "Print the directory where the engine is installed." },
  { long: "engine-conf", short: "e", help: "Print Engine.config, its path as a comment first." },
  {
    long: "gateway-cfg",
    short: "g",
    help: "Print Gateway.cfg, its path as a comment first and the CIK masked.",
  },
  { long: "gateway-cik", short: "C", help: "Print the CIK, or '' when the gateway is not activated." },
  {
    long: "mac-address",
    takes: "value",
    value: "IFACE",
    help: "Print the MAC address of a network interface.",
  },
];

export const runFlags: readonly Flag[] = [
  { long: "once", short: "o", help: "Check in once, do what Murano asks for, and exit." },
  {
    long: "install-apps",
    short: "I",
    takes: "values",
    value: "TARBALL",
    help: "Install applications from files, by the running engine where there is one.",
  },
];

export const setFlags: readonly Flag[] = [
  { long: "set-cik", short: "c", takes: "value", value: "CIK", help: "Set the CIK; - reads it from stdin." },
  { long: "set-model", short: "m", takes: "value", value: "MODEL", help: "Set the model." },
  { long: "set-vendor", short: "r", takes: "value", value: "VENDOR", help: "Set the vendor." },
  {
    long: "set-product-id",
    short: "P",
    aliases: ["product-id"],
    takes: "value",
    value: "PRODUCT_ID",
    help: "Set the Murano product id, which is both vendor and model.",
  },
  { long: "set-uuid", short: "u", takes: "value", value: "UUID", help: "Set the serial number." },
  {
    long: "set-iface",
    short: "i",
    takes: "value",
    value: "IFACE",
    help: "Set the network interface (eth0, wlan0, ppp0, ...) whose MAC address\nbecomes the serial number when none is set.",
  },
  {
    long: "set-act-retry-interval",
    short: "l",
    takes: "value",
    value: "SECONDS",
    help: "Set the time between attempts to activate.",
  },
  {
    long: "set-debug-level",
    short: "d",
    takes: "value",
    value: "LEVEL",
    help: "Set the log level: DEBUG, INFO, WARNING, ERROR or CRITICAL.\nBeside another option it holds for that run only.",
  },
  {
    long: "set-update-interval",
    short: "t",
    takes: "value",
    value: "SECONDS",
    help: "Set the time between check-ins.",
  },
  {
    long: "set-user-agent",
    short: "a",
    takes: "value",
    value: "USER_AGENT",
    help: "Set the User-Agent header of requests to Murano.",
  },
];

/** For app developers, on any machine (docs/building-apps.md). */
export const buildFlags: readonly Flag[] = [
  {
    long: "create-buildfile",
    short: "x",
    takes: "optional",
    value: "FILE",
    help: "Write a buildfile. Asks for what -n and -s do not say.",
  },
  {
    long: "check-buildfile",
    short: "w",
    takes: "value",
    value: "FILE",
    help: "Print [PASS], or each fault of a buildfile with its place.",
  },
  {
    long: "build-app",
    short: "y",
    aliases: ["build-app-tarball"],
    takes: "optional",
    value: "FILE",
    help: "Build a package and print its path. Without a buildfile, and with\n-n and -s, packs the current directory.",
  },
  {
    long: "check-tarball",
    short: "z",
    aliases: ["check-tarfile"],
    takes: "values",
    value: "FILE",
    help: "Print [PASS], or what a gateway would refuse in packages.",
  },
  {
    long: "app-name",
    short: "n",
    takes: "value",
    value: "NAME",
    help: "The app's name, instead of the buildfile's.",
  },
  { long: "app-version", short: "s", takes: "value", value: "VERSION", help: "Likewise the version." },
];

export const allFlags: readonly Flag[] = [...printFlags, ...runFlags, ...setFlags, ...buildFlags];
