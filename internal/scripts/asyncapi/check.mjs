// Reads an AsyncAPI document with the AsyncAPI project's own parser, and fails at what it calls an error.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const path = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"), { source: path });
const errors = diagnostics.filter((d) => d.severity === 0);
for (const d of diagnostics) {
  console.log(`${["error", "warning", "information", "hint"][d.severity]}: ${d.code}: ${d.message} (${d.path.join(".")})`);
}
if (!document || errors.length > 0) {
  console.log(`${path}: ${errors.length} errors`);
  process.exit(1);
}
console.log(`${path}: AsyncAPI ${document.version()}, ${document.channels().length} channels, ${document.operations().length} operations, ${document.messages().length} messages`);
