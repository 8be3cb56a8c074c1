// What a page must hold for everyone: names, one heading, no sideways scrolling, contrast.
// Every function runs inside the page.

/** @returns {string[]} controls and media without an accessible name, doubled ids, bad tab order */
export function unnamed() {
  const wrong = [];
  const text = (node) => (node?.textContent ?? '').trim();
  for (const one of document.querySelectorAll('button, input, textarea, select, a[href], video, dialog, [role="log"], aside, nav, section')) {
    const labelled = (one.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => text(document.getElementById(id))).join('');
    const name = one.getAttribute('aria-label') || labelled || [...(one.labels ?? [])].map(text).join('') || (one.matches('button, a') && text(one));
    if (!name) wrong.push(`no name: ${one.outerHTML.slice(0, 120)}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) wrong.push(`id used twice: ${id}`);
  for (const one of document.querySelectorAll('[tabindex]')) if (one.tabIndex > 0) wrong.push(`forced tab order: ${one.id}`);
  for (const one of document.querySelectorAll('[aria-controls]')) if (!document.getElementById(one.getAttribute('aria-controls'))) wrong.push(`controls nothing: ${one.id}`);
  const headings = [...document.querySelectorAll('h1')].filter((one) => one.checkVisibility());
  if (headings.length !== 1) wrong.push(`${headings.length} visible h1`);
  if (!document.documentElement.lang) wrong.push('no language');
  return wrong;
}

/** @returns {string[]} visible text below WCAG AA's 4.5:1 (3:1 when large); text over video is left out */
export function faint() {
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const wrong = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || one.closest('.tile, button:disabled') || !one.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(one);
    const [a, b] = [light(parse(style.color)), light(ground(one))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) wrong.push(`${ratio.toFixed(2)}:1 "${one.textContent.trim().slice(0, 40)}"`);
  }
  return wrong;
}

/** @returns {string[]} visible things that reach beyond the right edge */
export function sideways() {
  const width = document.documentElement.clientWidth;
  const wrong = document.documentElement.scrollWidth > width ? [`page is ${document.documentElement.scrollWidth} px wide`] : [];
  for (const one of document.querySelectorAll('button, input, p, h1, li, label')) {
    if (!one.checkVisibility() || one.closest('.unseen')) continue;
    const { right, left, width: wide } = one.getBoundingClientRect();
    if (wide > 0 && (right > width + 0.5 || left < -0.5)) wrong.push(`${one.tagName} ${one.id} from ${left} to ${right} of ${width}`);
  }
  return wrong;
}

/** @returns {string[]} visible buttons and switches smaller than a finger (WCAG 2.5.8: 24 px) */
export function tiny() {
  return [...document.querySelectorAll('button, input')].filter((one) => one.checkVisibility())
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 24 || height < 24)
    .map(([one, { width, height }]) => `${one.id || one.className} is ${width}×${height}`);
}
