// What to say to a person when something fails: one place for every sentence.

/** @type {Record<string, string>} */
const BY_CODE = {
  invite_used: 'This invite was already used. Each invite lets one person in, once. Ask for a fresh one.',
  invite_expired: 'This invite is too old. Ask for a fresh one.',
  no_such_invite: 'This server does not know that invite. Check that the whole link was copied.',
  invalid_invite: 'This is no invite. Check that the whole link was copied.',
  no_such_peer: 'That person is not here any more.',
  forbidden: 'Only a host of the room may do that.',
  invalid_login: 'Name or password is wrong.',
  session_over: 'You were signed out. Please sign in again.',
  room_full: 'The room is full. Try again when someone has left.',
  room_locked: 'The room is locked: nobody new is let in right now.',
  no_such_room: 'This room no longer exists.',
  room_closed: 'The room was closed.',
  closed: 'The room was closed.',
  room_expired: 'The room’s time is over.',
  expired: 'The room’s time is over.',
  idle: 'The room was closed because nothing happened in it.',
  denied: 'The host did not let you in.',
  kicked: 'The host removed you from the room.',
  replaced: 'This seat was taken over by another tab or device.',
  flood: 'This page sent too much at once and was sent away for a moment.',
  busy: 'The server holds as many connections as it can. Try again in a moment.',
  too_many_rooms: 'The server holds as many rooms as it can. Try again later.',
  too_many_own_rooms: 'You have as many rooms as one person may have. Close one of them first.',
  too_many_invites: 'This room has as many open invites as it may have. Use one, or wait until one ends.',
  origin_not_allowed: 'This server does not take calls from this address of the page. The operator can list it in http.allowed_origins.',
  unavailable: 'The server cannot do this just now. Try again in a moment.',
  slow: 'This connection could not keep up with the room.',
  shutdown: 'The server is shutting down.',
  unreachable: 'The server cannot be reached. Check your connection and try again.',
  timeout: 'The server takes too long to answer. Try again in a moment.',
  not_json: 'The server gave an answer this page does not understand.',
  rate_limited: 'Too many attempts. Wait a moment and try again.',
  too_many_requests: 'Too many attempts. Wait a moment and try again.',
  too_large: 'That was too much for one message.',
  method_not_allowed: 'This server cannot do that.',
  not_found: 'This server cannot do that.',
  // Of calls and files, told by the SDK itself.
  left: 'You left the call.',
  peer_left: 'The other side left.',
  not_connected: 'There is no connection to that person yet. Try again in a moment.',
  no_files: 'Their program takes no files.',
  too_many_files: 'Too many files are on their way. Wait until one has arrived.',
  file_too_big: 'The file is larger than the other side takes.',
  file_damaged: 'The file arrived damaged and was thrown away. Please send it again.',
  file_incomplete: 'The file arrived in part and was thrown away. Please send it again.',
  file_unreadable: 'The file could not be read any more. It may have been changed or moved.',
  internal: 'The server had a problem of its own. Try again in a moment.',
};

const SEAT_OVER = 'Your place in this room has ended. Ask for a fresh invite.';

/**
 * @param {{code?: string, message?: string, status?: number, retryAfter?: number}} wrong
 * @returns {string} a sentence or two
 */
export function explain({ code = '', message, status, retryAfter }) {
  const wait = retryAfter ? ` (${Math.ceil(retryAfter)} s)` : '';
  if (BY_CODE[code]) return BY_CODE[code] + wait;
  if (/ticket|token|unauthorized/.test(code)) return SEAT_OVER;
  if (status === 429) return BY_CODE.rate_limited + wait;
  if (status && status >= 500) return BY_CODE.internal;
  return message ? `The server says: ${message}` : 'Something went wrong.';
}

/** @param {string} text an invite, or a link that holds one @returns {string} the invite itself */
export function inviteOf(text) {
  const found = /[#&]invite=([^&]+)/.exec(text)?.[1];
  return found ? decodeURIComponent(found) : text.trim();
}

/** @param {{code?: string, status?: number}} wrong why no room was made */
export function explainNoRoom(wrong) {
  if (wrong.code === 'session_over') return BY_CODE.session_over;
  if ((wrong.status === 401 || wrong.status === 403) && wrong.code !== 'origin_not_allowed') {
    return 'Rooms on this server are made by people who are signed in, or with a creator link from the operator.';
  }
  return explain(wrong);
}

/** @param {string} [reason] @returns {string} what follows a name */
export function leftWords(reason) {
  switch (reason) {
    case 'dropped': case 'slow': return 'lost the connection.';
    case 'kicked': return 'was removed by the host.';
    default: return 'left the call.';
  }
}

/** @param {import('./media.js').Media['trouble']} trouble @returns {string} empty when all is well */
export function explainDevices({ audio, video }) {
  const both = audio !== 'none' && video !== 'none';
  if (!both && audio === 'none' && video === 'none') return '';
  const which = both ? 'camera and microphone' : audio !== 'none' ? 'microphone' : 'camera';
  const kind = audio !== 'none' ? audio : video;
  const rest = both ? 'You can join all the same: you will hear and see the others, and can write.' : '';
  switch (kind) {
    case 'denied': return `This page may not use your ${which}. You can allow it in the browser’s address bar. ${rest}`.trim();
    case 'missing': return `No ${which.replace('and', 'or')} found. ${rest}`.trim();
    case 'busy': return `Your ${which} ${both ? 'are' : 'is'} in use by another program. ${rest}`.trim();
    case 'insecure': return `The browser gives ${which} only to pages over HTTPS or on localhost. ${rest}`.trim();
    default: return `Your ${which} did not start. ${rest}`.trim();
  }
}

/** @param {import('./media.js').DeviceTrouble} trouble @returns {string} empty when there is nothing to say */
export function explainScreen(trouble) {
  switch (trouble) {
    case 'none': case 'denied': return ''; // denied: changed their mind in the browser's own dialog
    case 'insecure': return 'The browser shares screens only from pages over HTTPS or on localhost.';
    case 'missing': return 'This browser cannot share a screen.';
    default: return 'The screen could not be shared.';
  }
}

/** @param {{url?: string, code: number, text?: string}} error an icecandidateerror */
export function explainIce({ url, code, text }) {
  const server = url || 'the TURN server';
  const said = text ? ` ${text.replace(/\.$/, '')}` : '';
  if (code === 701) return `${server} cannot be reached (701${said}).`;
  if (code === 401) return `${server} refused the credential (401${said}).`;
  if (code === 486 || code === 508) return `${server} has no room for another relay (${code}${said}).`;
  return `${server} answered ${code}${said}.`;
}
