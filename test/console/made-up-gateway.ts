const apps = ["meter", "modbus-bridge", "vibration", "gps-log", "video-edge"];
const states = ["FATAL", "BACKOFF", "STOPPED", "EXITED"];
const machines = [
  { os: { distro: "Debian GNU/Linux", release: "12" }, arch: "arm64", model: "CM4", cores: 4 },
  { os: { distro: "OpenWrt", release: "23.05" }, arch: "arm", model: "AR9344", cores: 1 },
  { os: { distro: "Ubuntu", release: "24.04" }, arch: "x64", model: "NUC 11", cores: 8 },
];

/** Numbers that look like chance and are none. */
const spread = (index: number, salt: number, below: number) =>
  Math.floor(((Math.sin(index * 12.9898 + salt * 78.233) * 43758.5453) % 1) * below + below) % below;

export interface MadeUpGateway {
  readonly product: string;
  readonly sn: string;
  /** What it reports, by dataport. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A gateway that never was: each a little different, the same at every call. */
export function madeUpValues(index: number): MadeUpGateway {
  const hex = index.toString(16).toUpperCase().padStart(6, "0");
  const counters = { rx: spread(index, 1, 9e8), tx: spread(index, 2, 2e8), since: 0 };
  return {
    product: index % 5 === 4 ? "compressor" : "pump-station",
    sn: `00:40:9D:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`,
    values: {
      engine_report: { apps: reportedApps(index) },
      device_info: deviceInfo(index),
      usage_report: { eth0: { ...counters, top_consumer: "gwe:write", consumers: {} } },
    },
  };
}

function reportedApps(index: number): unknown[] {
  const own = apps
    .filter((_, which) => which === 0 || spread(index, which + 10, 3) === 0)
    .map((name, which) => {
      const isOdd = spread(index, which + 20, 97) === 0;
      const status = isOdd ? states[spread(index, 31, states.length)] : "RUNNING";
      const version = `${1 + (which % 2)}.${spread(index, which + 40, 3)}.${spread(index, which + 50, 2)}`;
      return { [name]: { status, uptime: "12:05:10", exitstatus: 0, version } };
    });
  const engine = spread(index, 60, 9) === 0 ? "0.1.0" : "0.2.0";
  const part = { status: "RUNNING", uptime: "99:00:01", exitstatus: 0, version: engine };
  const entries = spread(index, 70, 40) === 0 ? 5000 + index : spread(index, 71, 4);
  return [...own, { gwe: part }, { gmq: { ...part, entries } }];
}

function deviceInfo(index: number): unknown {
  const machine = machines[index % machines.length];
  const total = 1_000_000_000;
  return {
    uname: `Linux gw-${index} 6.1.0 #1 SMP`,
    hostname: `gw-${index}`,
    kernel: "6.1.0",
    arch: machine?.arch,
    os: machine?.os,
    machine: { manufacturer: "Acme", model: machine?.model },
    memory: { total, available: total * (0.1 + spread(index, 80, 70) / 100) },
    filesystems: [
      {
        mount: "/",
        read_only: false,
        total: 100,
        used: spread(index, 90, 25) === 0 ? 96 : 20 + spread(index, 91, 50),
      },
    ],
    interfaces: [{ name: "eth0", addresses: [`10.${index % 200}.${Math.floor(index / 200) % 250}.17`] }],
  };
}
