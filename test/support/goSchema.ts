/**
 * The schema of a kind whose definition exists only as Go types: fields of structs, lists, maps, text, numbers and yes-or-no. Fields that
 * are not declared are refused, as the API server's strict validation does.
 */
export function schemaOfGoType(source: string, type: string): object {
  const structs = new Map([...source.matchAll(/^type (\w+) struct \{\n([^]*?)^\}/gm)].map(([, name, body]) => [name, body]));
  const of = (goType: string): object => {
    if (goType.startsWith("*")) return of(goType.slice(1));
    if (goType.startsWith("[]")) return { type: "array", items: of(goType.slice(2)) };
    if (/^u?int(32|64)?$/.test(goType)) return { type: "integer" };
    if (goType === "float64") return { type: "number" };
    if (goType === "string") return { type: "string" };
    if (goType === "bool") return { type: "boolean" };
    const body = structs.get(goType);
    if (body === undefined) throw new Error(`${type} has a part of a type that is not understood: ${goType}`);
    const fields = [...body.matchAll(/^\s*\w+\s+(\S+)\s+`json:"(\w+)[^`]*`/gm)];
    return { type: "object", properties: Object.fromEntries(fields.map(([, field, name]) => [name, of(field)])) };
  };
  return of(type);
}
