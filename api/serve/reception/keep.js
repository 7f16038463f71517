// What this tablet remembers. A browser that forbids storage still works; it only forgets.
const held = {};

export const store = {
  get(key) {
    try {
      return localStorage.getItem("foyer." + key) || held[key] || "";
    } catch {
      return held[key] || "";
    }
  },
  set(key, value) {
    held[key] = value;
    try {
      localStorage.setItem("foyer." + key, value);
    } catch {
      // remembered until the page closes
    }
  },
};
