// Writes src/client/types.gen.ts from the AsyncAPI document of the server, read from a file or from standard input:
//   python -m realtime.contract.asyncapi | npm run --silent generate
import { readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const target = new URL("../src/client/types.gen.ts", import.meta.url);
const document = JSON.parse(readFileSync(process.argv[2] ?? 0, "utf8"));
const schemas = document.components.schemas;

/** Titles would name every field's type, and OpenAPI-style `$ref`s do not resolve inside one schema. */
function prepared(node, isProperties = false) {
  if (Array.isArray(node)) return node.map((item) => prepared(item));
  if (node === null || typeof node !== "object") return node;
  const out = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "title" && !isProperties) continue;
    if (key === "maxItems") continue;
    if (key === "$ref") out.$ref = value.replace("#/components/schemas/", "#/definitions/");
    else out[key] = prepared(value, key === "properties" && !isProperties);
  }
  return out;
}

/** The wire leaves absent fields out, it never sends null: `anyOf [X, null]` means an optional X. */
function withoutNull(node) {
  if (Array.isArray(node)) return node.map(withoutNull);
  if (node === null || typeof node !== "object") return node;
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withoutNull(value)]));
  if (!Array.isArray(out.anyOf)) return out;
  const kept = out.anyOf.filter((option) => option.type !== "null");
  if (kept.length !== 1) return { ...out, anyOf: kept };
  if (kept[0].$ref) return kept[0];
  const { anyOf: _dropped, default: _default, ...rest } = out;
  return { ...rest, ...kept[0] };
}

const definitions = withoutNull(prepared(schemas));
for (const schema of Object.values(definitions)) {
  if (schema.type === "object" && schema.additionalProperties === undefined)
    schema.additionalProperties = false;
}
const names = Object.keys(definitions).sort();
const root = {
  type: "object",
  additionalProperties: false,
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, { $ref: `#/definitions/${name}` }])),
  definitions,
};
const banner =
  "// Generated from the AsyncAPI document of the server (npm run generate). Do not edit; change the contract instead.";
const compiled = await compile(root, "Schemas", { bannerComment: banner, unreachableDefinitions: false });

function typeName(schema) {
  return schema?.$ref?.split("/").pop() ?? "Record<string, unknown>";
}

function ackName(message) {
  const ok = message["x-ack"].oneOf.find((option) => option.properties.ok.const === true);
  return typeName(ok.properties.data);
}

function eventMap(name, lines) {
  return `export interface ${name} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

const messages = Object.values(document.components.messages).sort((a, b) => (a.name < b.name ? -1 : 1));
const fromClient = messages.filter((message) => message["x-ack"]);
const fromServer = messages.filter((message) => !message["x-ack"]);
const source = [
  compiled.replace(/export interface Schemas \{[^}]*\}\n/, ""),
  eventMap(
    "ClientEvents",
    fromClient.map((m) => `"${m.name}": { payload: ${typeName(m.payload)}; data: ${ackName(m)} };`),
  ),
  eventMap(
    "ServerEvents",
    fromServer.map((m) => `"${m.name}": ${typeName(m.payload)};`),
  ),
].join("\n");
writeFileSync(target, source);
