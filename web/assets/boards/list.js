// A list on the page that follows a list of things: rows stay the same elements, so focus and buttons live on.

/**
 * @template T
 * @param {HTMLElement} parent
 * @param {(thing: T) => string} keyOf no two things may have the same
 * @param {(thing: T) => HTMLElement} build a new row
 * @param {(row: HTMLElement, thing: T) => void} [fill] what changes
 * @returns {(things: T[]) => void}
 */
export function follow(parent, keyOf, build, fill = () => {}) {
  /** @type {Map<string, HTMLElement>} */ const rows = new Map();
  return (things) => {
    const keys = new Set(things.map(keyOf));
    // What is gone goes first: the rest then stands where it stood, and keeps the focus.
    for (const [key, row] of rows) {
      if (keys.has(key)) continue;
      rows.delete(key);
      leave(row);
    }
    things.forEach((thing, at) => {
      const key = keyOf(thing);
      const row = rows.get(key) ?? build(thing);
      rows.set(key, row);
      fill(row, thing);
      if (parent.children[at] !== row) parent.insertBefore(row, parent.children[at] ?? null);
    });
  };
}

/** Takes a row away; the focus in it goes to the row that takes its place, or to the panel. @param {HTMLElement} row */
function leave(row) {
  const hadFocus = row.contains(document.activeElement);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const panel = row.closest('section');
  row.remove();
  if (!hadFocus) return;
  const goesTo = next?.querySelector('button') ?? panel?.querySelector('h2');
  if (goesTo instanceof HTMLElement) goesTo.focus();
}
