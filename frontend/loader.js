// Starts the page. A file of its own, because the content security policy allows no inline script.
import init from "./{{js}}";

try {
  await init({ module_or_path: new URL("./{{wasm}}", import.meta.url) });
} catch (error) {
  const state = document.getElementById("skeleton-state");
  if (state) state.textContent = "The page could not start. Reload it, or use a current browser.";
  throw error;
}
