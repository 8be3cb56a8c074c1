// How many columns: the number that makes the pictures largest. A shared screen gets most of the room.

import { el } from './dom.js';

const GAP = 12;
/** Pictures are cut to their tile; narrower or wider than this they would lose too much. */
const NARROWEST = 1;
const WIDEST = 16 / 9;

/** @param {number} count @param {number} width @param {number} height @returns {{columns: number, rows: number}} */
export function bestGrid(count, width, height) {
  let best = { columns: 1, rows: count, area: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const w = (width - GAP * (columns - 1)) / columns;
    const h = (height - GAP * (rows - 1)) / rows;
    const ratio = w / h;
    // What is seen of a picture once the tile is cut to a shape that suits it.
    const area = ratio > WIDEST ? h * WIDEST * h : ratio < NARROWEST ? (w * w) / NARROWEST : w * h;
    if (area > best.area) best = { columns, rows, area };
  }
  return best;
}

function draw() {
  const tiles = el('tiles');
  const { width, height } = tiles.getBoundingClientRect();
  if (width === 0) return;
  const featured = tiles.querySelector('.tile.screen');
  for (const tile of tiles.children) if (tile.classList.contains('featured') !== (tile === featured)) tile.classList.toggle('featured');
  tiles.classList.toggle('spotlight', Boolean(featured) && tiles.childElementCount > 1);
  tiles.classList.toggle('tall', height > width);
  tiles.style.setProperty('--others', String(Math.max(1, tiles.childElementCount - 1)));
  const { columns, rows } = bestGrid(Math.max(1, tiles.childElementCount), width, height);
  tiles.style.setProperty('--columns', String(columns));
  tiles.style.setProperty('--rows', String(rows));
}

/** Keeps the grid good while people come and go and the window changes. */
export function setUpGrid() {
  new ResizeObserver(draw).observe(el('tiles'));
  new MutationObserver(draw).observe(el('tiles'), { childList: true, subtree: true, attributes: true, attributeFilter: ['class'] });
}
