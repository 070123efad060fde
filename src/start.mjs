/**
 * Where a clone starts that has no bundle (./provision makes one, where it can). Plain JavaScript, so that the compile
 * cache is on before the first TypeScript file is read: with a warm cache Node then need not even load its type stripper.
 */
import { enableCompileCache } from "node:module";

enableCompileCache();
await import("./main.ts");
