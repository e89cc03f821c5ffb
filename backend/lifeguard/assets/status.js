// Re-reads the shared page when the server says that something changed; no framework, no dependency.
const main = document.getElementById("status");
const source = new EventSource(location.pathname + "/events");
let reading = false;
async function read() {
  if (reading) return;
  reading = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: { "x-lifeguard-again": "1" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (fresh) main.replaceChildren(...fresh.childNodes);
    if (!answer.ok) source.close();
  } finally {
    reading = false;
  }
}
source.addEventListener("message", read);
source.addEventListener("error", read);
