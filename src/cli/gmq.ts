import { main } from "./gmq-command.ts";

await main();
