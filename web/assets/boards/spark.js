// A sparkline: the last values of a number, drawn to its own height.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 28;

/** The last `length` values of a number. */
export class Series {
  /** @param {number} [length] */
  constructor(length = 60) {
    this.length = length;
    /** @type {number[]} */ this.values = [];
  }

  /** @param {number} value */
  push(value) {
    this.values.push(value);
    if (this.values.length > this.length) this.values.shift();
  }
}

/** @param {string} label what a screen reader says in its place */
export function spark(label) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  svg.classList.add('spark');
  for (const kind of ['area', 'line']) {
    const path = document.createElementNS(SVG, 'path');
    path.classList.add(kind);
    path.setAttribute('vector-effect', 'non-scaling-stroke');
    svg.append(path);
  }
  return svg;
}

/** @param {SVGSVGElement} svg @param {Series} series the newest value stands at the right edge */
export function draw(svg, { values, length }) {
  const top = Math.max(...values, 1e-9);
  const step = WIDTH / (length - 1);
  const begin = WIDTH - (values.length - 1) * step;
  const points = values.map((value, at) => `${(begin + at * step).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`);
  const [area, line] = svg.querySelectorAll('path');
  const drawn = points.length > 1 ? `M${points.join('L')}` : '';
  line?.setAttribute('d', drawn);
  area?.setAttribute('d', drawn && `${drawn}V${HEIGHT}H${begin.toFixed(1)}Z`);
}
