// One HTTP call: JSON in, JSON out, every failure a RelayhouseError.

import { RelayhouseError } from './errors.js';

const TIMEOUT_MS = 10_000;

/**
 * @param {string} url
 * @param {{method?: string, body?: unknown, token?: string}} [how]
 * @returns {Promise<any>} nothing where the server answers with nothing (204)
 */
export async function request(url, { method = 'GET', body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: 'no-store',
      credentials: 'omit',
    });
  } catch (cause) {
    throw new RelayhouseError(cause instanceof DOMException && cause.name === 'TimeoutError' ? 'timeout' : 'unreachable');
  }
  if (response.status === 204) return undefined;
  const answer = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const wrong = answer?.error ?? {};
  throw new RelayhouseError(wrong.code ?? 'not_json', {
    detail: wrong.message ?? `HTTP ${response.status}`,
    status: response.status,
    retryAfter: Number(wrong.retry_after ?? response.headers.get('retry-after')) || undefined,
  });
}
