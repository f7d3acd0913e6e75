// How far somebody is, for as long as this tab is open: a reload goes on where it was.
// Exercises are numbers here, not names.

const PREFIX = "sb-routine:";

export function keptOf(id) {
  const key = PREFIX + id;
  return {
    read() {
      try {
        return JSON.parse(sessionStorage.getItem(key)) ?? null;
      } catch {
        return null;
      }
    },
    write(state) {
      try {
        sessionStorage.setItem(key, JSON.stringify(state));
      } catch {
        // Without storage a reload begins anew.
      }
    },
    forget() {
      try {
        sessionStorage.removeItem(key);
      } catch {
        // Nothing was kept.
      }
    },
  };
}
