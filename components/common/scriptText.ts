import { readFileSync } from "fs";
import { join } from "path";

/** A script's text, by its path in components/. The build puts a module with all texts in this one's place, so that bundlers see them: tools/scriptTexts.js. */
export const scriptText = (path: string) => readFileSync(join(__dirname, "..", path), "utf8");
