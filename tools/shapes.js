// Puts the types of arguments into a table that programs can look at while they run: every interface that index.ts exports, and what these
// are made of, in the words of the sources. `node tools/shapes.js` writes it, and test/schema holds it against the sources.
const { readdirSync, readFileSync, writeFileSync } = require("fs");
const { join } = require("path");
const ts = require("typescript");

const root = join(__dirname, "..");
const target = join(root, "components", "common", "shapes.ts");

const parse = (path) => ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022);

/** All interfaces and aliases of the sources by name, of which Pulumi wants each to be unique. */
function declarations() {
  const found = new Map();
  for (const file of readdirSync(join(root, "components"), { recursive: true })
    .filter((name) => name.endsWith(".ts"))
    .sort())
    for (const statement of parse(join(root, "components", file)).statements)
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
        found.set(statement.name.text, [...(found.get(statement.name.text) ?? []), statement]);
  return (name) => {
    const [declaration, ...others] = found.get(name) ?? [];
    if (!declaration || others.length) throw new Error(`${name} is declared ${others.length ? "more than once" : "nowhere"}`);
    return declaration;
  };
}

/** Names that index.ts exports. */
const exported = () =>
  parse(join(root, "index.ts")).statements.flatMap(({ exportClause }) => exportClause.elements.map(({ name }) => name.text));

function shapes() {
  const declared = declarations();
  const table = {};

  /** A type as the table has it; what it is made of gets its own entry. */
  function typeOf(node) {
    const unknown = () =>
      new Error(`tools/shapes.js does not know ${ts.SyntaxKind[node.kind]}: write arguments as the others are`);
    if (node.kind === ts.SyntaxKind.StringKeyword) return "string";
    if (node.kind === ts.SyntaxKind.NumberKeyword) return "number";
    if (node.kind === ts.SyntaxKind.BooleanKeyword) return "boolean";
    if (ts.isArrayTypeNode(node)) return `${typeOf(node.elementType)}[]`;
    if (ts.isTupleTypeNode(node)) return `${typeOf(node.elements[0].type)}[]`;
    if (ts.isLiteralTypeNode(node) && node.literal.kind === ts.SyntaxKind.FalseKeyword) return "false";
    if (ts.isUnionTypeNode(node)) {
      const types = node.types.map(typeOf);
      if (!types.every((type) => ["string", "number", "boolean", "false"].includes(type))) throw unknown();
      return types.join(" | ");
    }
    if (!ts.isTypeReferenceNode(node)) throw unknown();
    const name = (node.typeName.right ?? node.typeName).text;
    const inner = (node.typeArguments ?? []).map(typeOf);
    if (inner.length) {
      if (!["Input", "Partial", "Record"].includes(name)) throw unknown();
      return `${name}<${inner.join(", ")}>`;
    }
    const declaration = declared(name);
    if (ts.isInterfaceDeclaration(declaration)) return add(declaration);
    // `(typeof Kinds)[keyof typeof Kinds]`: one of several texts.
    if (!ts.isIndexedAccessTypeNode(declaration.type)) throw unknown();
    return "string";
  }

  function add({ name: { text: name }, heritageClauses = [], members }) {
    const inherited = heritageClauses.flatMap(({ types }) =>
      types.map(({ expression }) => ["...", add(declared(expression.text))]),
    );
    if (inherited.length > 1) throw new Error(`${name} extends more than one interface, which the table has no place for`);
    const own = members.map((member) => [member.name.text + (member.questionToken ? "?" : ""), typeOf(member.type)]);
    table[name] = Object.fromEntries([...inherited, ...own]);
    return name;
  }

  const interfaces = exported().filter((name) => /(Args|Options)$/.test(name));
  for (const name of interfaces) add(declared(name));
  return table;
}

/** The module with the table, in prettier's style. */
function text() {
  const entries = (object, entry) =>
    Object.entries(object)
      .map(([name, value]) => `${entry(name, value)},\n`)
      .join("");
  const property = (name, type) => `    ${/^\w+$/.test(name) ? name : `"${name}"`}: "${type}"`;
  const sorted = Object.fromEntries(Object.entries(shapes()).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `// Made of the interfaces by \`node tools/shapes.js\`: do not edit.

/** What arguments are made of: by the interface's name its properties and their types, "..." being what it extends. */
export const shapes = {
${entries(sorted, (name, properties) => `  ${name}: {\n${entries(properties, property)}  }`)}};
`;
}

module.exports = { target, text };
// What is up to date stays as it is: tests that run beside a build read it.
if (require.main === module && readFileSync(target, "utf8") !== text()) writeFileSync(target, text());
