import packageJson from "../../package.json" with { type: "json" };

/** The engine's own version, as in `gwe --version` and the default user agent. */
export const engineVersion: string = packageJson.version;
