/** esbuild collects style sheets into console.css. */
declare module "*.css";
