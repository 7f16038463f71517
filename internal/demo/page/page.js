"use strict";
// The demo's page: buttons to the demo, pictures and state from it.

const said = document.getElementById("said");
let hide;
function say(text) {
  said.textContent = text;
  said.classList.add("on");
  clearTimeout(hide);
  hide = setTimeout(() => said.classList.remove("on"), 3500);
}

async function post(path) {
  const answer = await fetch(path, { method: "POST" });
  if (!answer.ok) say((await answer.text()).trim());
  return answer.ok;
}

for (const button of document.querySelectorAll("button[data-do]")) {
  button.addEventListener("click", async () => {
    let path = "/do/" + button.dataset.do;
    if (button.dataset.toggle) path += button.getAttribute("aria-pressed") === "true" ? "/off" : "/on";
    button.disabled = true;
    try {
      if (await post(path)) await refresh();
    } finally {
      button.disabled = false;
    }
  });
}

// A tap on a live picture is a tap on the glass.
for (const img of document.querySelectorAll("img[data-screen]")) {
  img.addEventListener("click", (event) => {
    const box = img.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    post(`/tap/${img.dataset.screen}?x=${x.toFixed(4)}&y=${y.toFixed(4)}`);
  });
}

// One picture is asked for only when the last has come, so a slow machine shows fewer instead of falling behind.
async function watch(img) {
  for (;;) {
    const started = performance.now();
    await new Promise((done) => {
      const next = new Image();
      next.onload = () => { img.src = next.src; done(); };
      next.onerror = done;
      next.src = `/live/${img.dataset.screen}.jpg?t=${Date.now()}`;
    });
    const pause = document.hidden ? 2000 : Math.max(120, 400 - (performance.now() - started));
    await new Promise((done) => setTimeout(done, pause));
  }
}
document.querySelectorAll("img[data-screen]").forEach(watch);

const words = document.body.dataset;
const line = document.getElementById("line");
const lineText = document.getElementById("line-text");

function show(state) {
  for (const button of document.querySelectorAll("button[data-toggle]")) {
    button.setAttribute("aria-pressed", String(Boolean(state.on[button.dataset.toggle])));
  }
  const waiting = state.last - state.acked;
  let text = words.mended;
  if (state.on["hq-down"]) text = words.hqdown;
  else if (state.on["cut"]) text = words.cut;
  line.classList.toggle("trouble", Boolean(state.on["hq-down"] || state.on["cut"]));
  lineText.textContent = `${text} · ${words.kept.replace("{last}", state.last).replace("{waiting}", waiting)}`;
}

async function refresh() {
  try {
    const answer = await fetch("/state");
    show(await answer.json());
  } catch {
    line.classList.add("trouble");
    lineText.textContent = words.lost;
  }
}
refresh();
setInterval(refresh, 1000);
