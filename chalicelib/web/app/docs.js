// Renders the OpenAPI document. Text always stays text: nothing here parses markup.

/** @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children */
function createElement(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SECURITY_LABELS = {
  access_token: "access token",
  webhook_signature: "webhook signature",
};

/** An example value for a schema. It follows references, at most a few levels deep. */
function buildExample(schema, components, depth = 0) {
  if (!schema || depth > 5) return null;
  if (schema.$ref) return buildExample(components[schema.$ref.split("/").pop()], components, depth + 1);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return buildExample(options.find(({ type }) => type !== "null") ?? options[0], components, depth);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return [buildExample(schema.items, components, depth + 1)];
  if (schema.type === "object") {
    const fields = Object.entries(schema.properties ?? {});
    return Object.fromEntries(fields.map(([name, inner]) => [name, buildExample(inner, components, depth + 1)]));
  }
  return schema.format ?? schema.type ?? "any";
}

function renderSchema(title, content, components) {
  const schema = content?.["application/json"]?.schema;
  if (!schema) return [];
  const text = JSON.stringify(buildExample(schema, components), null, 2);
  return [createElement("div", {}, createElement("h3", {}, title), createElement("pre", { tabindex: "0" }, text))];
}

function renderParameters(operation) {
  const rows = operation.parameters.map((parameter) =>
    createElement(
      "tr",
      {},
      createElement("th", { scope: "row" }, createElement("code", {}, parameter.name)),
      createElement("td", {}, parameter.in),
      createElement("td", {}, parameter.required ? "required" : "optional"),
    ),
  );
  return rows.length ? [createElement("table", {}, createElement("tbody", {}, ...rows))] : [];
}

/** Code that calls the route, by language. */
const renderSamples = (samples = []) =>
  samples.map(({ label, source }) =>
    createElement("div", {}, createElement("h3", {}, label), createElement("pre", { tabindex: "0" }, source)),
  );

function renderRoute(path, method, operation, components) {
  const security = operation.security.map((scheme) => SECURITY_LABELS[Object.keys(scheme)[0]]).join() || "public";
  const responses = Object.entries(operation.responses);
  const success = responses.find(([status]) => status.startsWith("2"));
  const errorStatuses = responses.map(([status]) => status).filter((status) => !status.startsWith("2"));
  return createElement(
    "details",
    { class: "route", id: operation.operationId },
    createElement(
      "summary",
      {},
      createElement("span", { class: "method" }, method.toUpperCase()),
      createElement("code", {}, path),
      createElement("span", { class: "fine" }, `${operation.summary} · ${security}`),
    ),
    createElement(
      "div",
      { class: "inside" },
      ...renderParameters(operation),
      ...renderSchema("Request body", operation.requestBody?.content, components),
      ...renderSchema(`Response ${success?.[0] ?? ""}`, success?.[1].content, components),
      ...renderSamples(operation["x-codeSamples"]),
      createElement("p", { class: "fine" }, `Error statuses: ${errorStatuses.join(", ")}`),
    ),
  );
}

async function renderDocs() {
  const apiDocument = await (await fetch("v1/openapi.json")).json();
  const components = apiDocument.components.schemas;
  const routes = Object.entries(apiDocument.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => renderRoute(path, method, operation, components)),
  );
  document.getElementById("routes")?.replaceChildren(...routes);
  document.getElementById("sign-in")?.append(apiDocument.components.securitySchemes.access_token.description);
  const codes = Object.entries(apiDocument["x-problem-codes"]).flatMap(([code, meaning]) => [
    createElement("dt", { id: `problem-${code}` }, createElement("code", {}, code)),
    createElement("dd", {}, String(meaning)),
  ]);
  document.getElementById("codes")?.replaceChildren(...codes);
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
  if (target) target.scrollIntoView();
}

renderDocs().catch(() => {
  document.getElementById("routes")?.replaceChildren("The API description did not load. Reload the page.");
});
