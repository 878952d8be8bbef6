import { main } from "./supervisorctl/main.ts";

await main();
