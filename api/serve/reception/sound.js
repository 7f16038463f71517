// The chime: made here, no file. Browsers let a page sound only after a first touch, so the page asks for one.
const apart = 2500; // ms between two chimes
const muteFor = 10 * 60 * 1000;

let audio = null;
let last = 0;
let lastStrong = false;
let mutedUntil = 0;
let played = 0;

export const ready = () => audio !== null && audio.state === "running";
export const mutedFor = () => Math.max(0, mutedUntil - Date.now());
export const mute = () => { mutedUntil = Date.now() + muteFor; };
export const unmute = () => { mutedUntil = 0; };

// enable is called from a touch or a key.
export async function enable() {
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!Context) return;
  audio = audio || new Context();
  if (audio.state !== "running") await audio.resume();
}

// chime sounds once, more fully for a key customer. A strong one is not swallowed by a soft one just before it.
export function chime(strong) {
  const now = Date.now();
  if (!ready() || mutedFor() > 0) return;
  if (now - last < apart && !(strong && !lastStrong)) return;
  [last, lastStrong] = [now, strong];
  played++;
  document.body.dataset.chimes = played;
  const notes = strong ? [523.25, 659.25, 783.99] : [659.25, 880];
  notes.forEach((hz, i) => strike(hz, audio.currentTime + i * (strong ? 0.16 : 0.13), strong ? 0.3 : 0.16));
}

// strike is one bell-like note: a tone and its soft overtone, both dying away.
function strike(hz, when, loud) {
  for (const [factor, share, life] of [[1, 1, 1.1], [2.76, 0.18, 0.5]]) {
    const tone = audio.createOscillator();
    const gain = audio.createGain();
    tone.frequency.value = hz * factor;
    gain.gain.setValueAtTime(0.0001, when);
    gain.gain.exponentialRampToValueAtTime(loud * share, when + 0.012);
    gain.gain.exponentialRampToValueAtTime(0.0001, when + life);
    tone.connect(gain).connect(audio.destination);
    tone.start(when);
    tone.stop(when + life + 0.05);
  }
}
