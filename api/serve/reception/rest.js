// After some minutes without a touch the page hides who is here: the screen faces staff, but not only staff walk by.
// The time can be set in the address, in seconds: /reception/?rest=120.
import { byId } from "./dom.js";

const usual = 300;
const chosen = Number(new URLSearchParams(location.search).get("rest"));
const after = 1000 * (chosen >= 1 ? chosen : usual);

let touched = Date.now();

export function watchRest() {
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    addEventListener(kind, () => { if (!resting()) touched = Date.now(); }, { passive: true, capture: true });
  }
  byId("rest").addEventListener("click", wake);
}

export const resting = () => !byId("rest").hidden;

// restIfIdle is called every second.
export function restIfIdle() {
  if (resting() || Date.now() - touched < after) return;
  for (const d of document.querySelectorAll("dialog[open]")) d.close();
  byId("toasts").replaceChildren();
  byId("page").inert = true;
  byId("page").hidden = true;
  byId("rest").hidden = false;
  byId("rest").focus();
}

function wake() {
  touched = Date.now();
  byId("rest").hidden = true;
  byId("page").hidden = false;
  byId("page").inert = false;
  byId("guests").focus({ preventScroll: true });
}
