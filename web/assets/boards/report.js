// The test as text, for whoever is asked for help. There is no credential in it. Free of DOM.

/**
 * @typedef {object} Result
 * @property {string} url @property {import('./verdict.js').Verdict} verdict
 * @property {[string, string][]} facts @property {import('./saw.js').Seen[]} seen
 */

/** @param {number} unix seconds */
const time = (unix) => new Date(unix * 1000).toISOString().slice(11, 19);

/** @param {import('./saw.js').Seen} one */
function line({ at, kind, transport, client, method, code, why, relayed }) {
  const what = kind === 'refused' ? `${method} refused with ${code}: ${why}` : `allocation ${kind}${why ? ` (${why})` : ''}${relayed ? `, relayed address ${relayed.join(' ')}` : ''}`;
  return `    ${time(at)} ${transport} from ${client}: ${what}`;
}

/**
 * @param {{origin: string, browser: string, when: Date, verdict: string}} frame @param {Result[]} results
 * @returns {string}
 */
export function report({ origin, browser, when, verdict }, results) {
  const parts = results.map(({ url, verdict: { text, advice }, facts, seen }) => [
    url, `  ${text}${advice ? ` ${advice}` : ''}`, ...facts.map(([name, value]) => `  ${name}: ${value}`),
    ...(seen.length > 0 ? ['  the server saw:', ...seen.map(line)] : []),
  ].join('\n'));
  const head = ['Relayhouse connectivity test', `${when.toISOString().replace('T', ' ').slice(0, 19)} UTC, ${origin}`, browser, '', verdict].join('\n');
  return `${[head, ...parts].join('\n\n').replaceAll('\u00a0', ' ')}\n`;
}
