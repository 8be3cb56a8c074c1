// The page's elements by id, making new ones, showing one view at a time. Shared by all pages.

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

/** @param {string} id @returns {HTMLButtonElement} */
export const button = (id) => /** @type {HTMLButtonElement} */ (el(id));

/** The first element below that fits. @param {ParentNode} within @param {string} selector @returns {HTMLElement} */
export function part(within, selector) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`nothing fits ${selector}`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * @param {string} tag
 * @param {{class?: string, text?: string, click?: () => void} & Record<string, any>} [with_] other keys are attributes
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function make(tag, { class: className, text, click, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (click) made.addEventListener('click', click);
  if (tag === 'button' && !attributes.type) made.setAttribute('type', 'button');
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A drawing out of icons.svg. @param {string} name @param {string} [title] read out; decoration without */
export function icon(name, title) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  if (title) {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', title);
  } else {
    svg.setAttribute('aria-hidden', 'true');
  }
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `/assets/icons.svg#${name}`);
  svg.append(use);
  return svg;
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

/** Asks before something that cannot be undone. @param {{title: string, text: string, yes: string}} what @returns {Promise<boolean>} */
export function sure({ title, text, yes }) {
  const dialog = /** @type {HTMLDialogElement} */ (el('sure'));
  el('sure-title').textContent = title;
  el('sure-text').textContent = text;
  el('sure-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** Initials for a tile without a picture. @param {string} name */
export function initials(name) {
  const letters = name.trim().split(/\s+/).map((word) => [...word][0] ?? '').filter(Boolean);
  return [letters[0], letters.length > 1 ? letters.at(-1) : ''].join('').toUpperCase() || '·';
}

/** A time of day. @param {Date} [when] */
export const clock = (when = new Date()) => when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
