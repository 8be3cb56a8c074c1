// A fresh invite link for every press, put on the clipboard.

import { explain } from '../../sdk.js';
import { button as buttonOf, clock, el, input } from './dom.js';
import { clearNotice, notify } from './notices.js';

/** @param {string} text @returns {Promise<boolean>} */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {() => Promise<{url: string, expiresAt: number}>} fetchInvite */
export async function copyInvite(fetchInvite) {
  const button = buttonOf('call-invite');
  if (button.disabled) return;
  button.disabled = true;
  try {
    const { url, expiresAt } = await fetchInvite();
    const until = clock(new Date(expiresAt * 1000));
    const note = `It lets one person in, once, until ${until}. Press again for the next person.`;
    const copied = await copy(url);
    const alone = el('view-call').querySelector('.stage')?.classList.contains('empty');
    input('invite-link').value = url;
    el('invite-note').textContent = note;
    el('invite-box').hidden = false;
    if (copied) notify(alone ? 'Invite link copied.' : `Invite link copied. ${note}`, { key: 'invite' });
    else if (alone) notify('The browser did not let this page copy. The link is below, ready to be copied by hand.', { key: 'invite' });
    else notify(`Copy this link by hand: ${url}`, { key: 'invite', stays: true });
    if (!copied && alone) input('invite-link').select();
  } catch (wrong) {
    clearNotice('invite');
    notify(`No invite was made. ${explain(/** @type {Error} */ (wrong))}`, { key: 'invite', bad: true });
  } finally {
    button.disabled = false;
  }
}

export function forgetInvite() {
  el('invite-box').hidden = true;
  input('invite-link').value = '';
}
