/**
 * Asks systeminformation what machine this is and prints it as one line of JSON. A process of its own: it reads
 * dmidecode, lsb_release and the like and keeps 4 MB of memory, and what it tells does not change until the next boot.
 */
import { osInfo, system } from "systeminformation";

const [os, machine] = await Promise.all([osInfo(), system()]);
process.stdout.write(
  `${JSON.stringify({
    os: { distro: os.distro, release: os.release, codename: os.codename },
    machine: { manufacturer: machine.manufacturer, model: machine.model, serial: machine.serial },
  })}\n`,
);
