/**
 * A process that fetches the package of a `DownloadScene` and kills itself (SIGKILL, as a power cut would) once that
 * many bytes have come in. Arguments: URL, CIK, directory, bytes.
 */
import { fetchPackage } from "../../src/ota/download/fetch-package.ts";
import { sceneOptions } from "./download-scene.ts";

const [url = "", cik = "", directory = "", killAtBytes = "0"] = process.argv.slice(2);
const { options } = sceneOptions({ url, cik, directory });
await fetchPackage({
  ...options,
  onProgress: (received) => {
    if (received >= Number(killAtBytes)) process.kill(process.pid, "SIGKILL");
  },
});
