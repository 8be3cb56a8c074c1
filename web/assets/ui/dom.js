// The page's elements by id, and showing one view at a time.

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function el(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return /** @type {T} */ (found);
}

/** @param {string} id @returns {HTMLInputElement} */
export const input = (id) => /** @type {HTMLInputElement} */ (el(id));

/**
 * @param {string} tag
 * @param {{class?: string, text?: string}} [with_]
 * @param {...Node} children
 */
export function make(tag, { class: className, text } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** Shows one view, and moves the focus to its heading so that it is read out. @param {string} name */
export function show(name) {
  for (const view of document.querySelectorAll('main')) view.hidden = view.id !== `view-${name}`;
  const heading = el(`view-${name}`).querySelector('h1');
  heading?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/**
 * A toggle whose name stays and whose state is told by `aria-pressed`.
 * @param {string} id @param {boolean} on
 */
export const press = (id, on) => el(id).setAttribute('aria-pressed', String(on));

/** Initials for a tile without a picture. @param {string} name */
export function initials(name) {
  const letters = name.trim().split(/\s+/).map((word) => [...word][0] ?? '').filter(Boolean);
  return [letters[0], letters.length > 1 ? letters.at(-1) : ''].join('').toUpperCase() || '·';
}
