// A list on the page that follows a list of things: rows stay the same elements, so focus and buttons live on.

/**
 * @template T
 * @param {HTMLElement} parent
 * @param {(thing: T) => string} keyOf
 * @param {(thing: T) => HTMLElement} build a new row
 * @param {(row: HTMLElement, thing: T) => void} fill what changes
 * @returns {(things: T[]) => void}
 */
export function follow(parent, keyOf, build, fill) {
  /** @type {Map<string, HTMLElement>} */ let rows = new Map();
  return (things) => {
    /** @type {Map<string, HTMLElement>} */ const now = new Map();
    things.forEach((thing, at) => {
      const key = keyOf(thing);
      const row = rows.get(key) ?? build(thing);
      fill(row, thing);
      now.set(key, row);
      if (parent.children[at] !== row) parent.insertBefore(row, parent.children[at] ?? null);
    });
    for (const [key, row] of rows) if (!now.has(key)) row.remove();
    rows = now;
  };
}

const ARMED_FOR_MS = 4000;

/**
 * A button that asks once more before it acts: the first press arms it for a moment.
 * @param {HTMLButtonElement} button @param {string} sure @param {() => Promise<void>} act
 */
export function twice(button, sure, act) {
  const usual = button.textContent;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ let armed;
  const disarm = () => {
    clearTimeout(armed);
    armed = undefined;
    button.textContent = usual;
    button.classList.remove('armed');
  };
  button.addEventListener('click', async () => {
    if (armed === undefined) {
      button.textContent = sure;
      button.classList.add('armed');
      armed = setTimeout(disarm, ARMED_FOR_MS);
      return;
    }
    disarm();
    button.disabled = true;
    await act();
    button.disabled = false;
  });
}
