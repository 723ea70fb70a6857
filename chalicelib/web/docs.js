// @ts-check
// Renders the OpenAPI document. Text only ever becomes text: nothing here parses markup.

/** @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const security = {
  access_token: "access token",
  webhook_signature: "webhook signature",
};

/** A schema as an example of itself, followed through its references, a few levels deep. */
function example(schema, components, depth = 0) {
  if (!schema || depth > 5) return null;
  if (schema.$ref) return example(components[schema.$ref.split("/").pop()], components, depth + 1);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return example(options.find((o) => o.type !== "null") ?? options[0], components, depth);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return [example(schema.items, components, depth + 1)];
  if (schema.type === "object") {
    const fields = Object.entries(schema.properties ?? {});
    return Object.fromEntries(fields.map(([name, inner]) => [name, example(inner, components, depth + 1)]));
  }
  return schema.format ?? schema.type ?? "any";
}

function shape(title, content, components) {
  const schema = content?.["application/json"]?.schema;
  if (!schema) return [];
  const text = JSON.stringify(example(schema, components), null, 2);
  return [element("div", {}, element("h3", {}, title), element("pre", { tabindex: "0" }, text))];
}

function parameters(operation) {
  const rows = operation.parameters.map((parameter) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, element("code", {}, parameter.name)),
      element("td", {}, parameter.in),
      element("td", {}, parameter.required ? "needed" : "optional"),
    ),
  );
  return rows.length ? [element("table", {}, element("tbody", {}, ...rows))] : [];
}

function route(path, method, operation, components) {
  const guard = operation.security.map((each) => security[Object.keys(each)[0]]).join() || "public";
  const answers = Object.entries(operation.responses);
  const success = answers.find(([status]) => status.startsWith("2"));
  const refusals = answers.map(([status]) => status).filter((status) => !status.startsWith("2"));
  return element(
    "details",
    { class: "route", id: operation.operationId },
    element(
      "summary",
      {},
      element("span", { class: "method" }, method.toUpperCase()),
      element("code", {}, path),
      element("span", { class: "fine" }, `${operation.summary} · ${guard}`),
    ),
    element(
      "div",
      { class: "inside" },
      ...parameters(operation),
      ...shape("Body", operation.requestBody?.content, components),
      ...shape(`Answer ${success?.[0] ?? ""}`, success?.[1].content, components),
      element("p", { class: "fine" }, `Refuses with ${refusals.join(", ")}`),
    ),
  );
}

async function show() {
  const told = await (await fetch("v1/openapi.json")).json();
  const components = told.components.schemas;
  const routes = Object.entries(told.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => route(path, method, operation, components)),
  );
  document.getElementById("routes")?.replaceChildren(...routes);
  const codes = Object.entries(told["x-problem-codes"]).flatMap(([code, meaning]) => [
    element("dt", { id: `problem-${code}` }, element("code", {}, code)),
    element("dd", {}, String(meaning)),
  ]);
  document.getElementById("codes")?.replaceChildren(...codes);
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

show().catch(() => {
  document.getElementById("routes")?.replaceChildren("The document could not be loaded. Try again.");
});
