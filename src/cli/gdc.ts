// Its arguments hold a CIK, and the title of a process is for everybody to read: this comes before all else.
process.title = "gdc";
const { main } = await import("./gdc-command.ts");
await main();

export {};
