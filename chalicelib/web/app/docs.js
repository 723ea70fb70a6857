// Comfort for the API reference, which is complete without this script: opens what the address names, and filters.

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}

/** Shows only the operations whose method, path or summary contains the text. @param {string} text */
function filterOperations(text) {
  for (const route of document.querySelectorAll(".route")) {
    const summary = route.querySelector("summary")?.textContent ?? "";
    /** @type {HTMLElement} */ (route).hidden = !summary.toLowerCase().includes(text.toLowerCase());
  }
}

const filter = document.createElement("input");
filter.type = "search";
filter.setAttribute("aria-label", "Filter operations");
filter.placeholder = "Filter operations";
filter.addEventListener("input", () => filterOperations(filter.value.trim()));
document.querySelector("#operations h2")?.after(filter);
addEventListener("hashchange", openNamed);
if (location.hash) openNamed();
