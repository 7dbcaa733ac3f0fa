/** Errors of src/server/. Read by ../errors.ts. */
import type { ErrorEntry } from './entry.ts'

export const SERVER_ERRORS = {
  UWAS_ERR_SERVER_NO_ENGINE: {
    message:
      'no build of uWebSockets.js loads on this machine ({platform}). What would work: {advice}. What was tried:{tried}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SERVER_REQUEST_OVER: {
    message:
      'this request was answered before its fields or its address were read; read them before the view returns',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_SERVER_BODY_LENGTH: {
    message: 'the body is {problem} than its announced {total} bytes; the connection was cut',
    status: 500,
    base: 'Error',
    when: 'request',
  },
  UWAS_ERR_SERVER_LISTEN: {
    message: 'cannot listen on {address}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SERVER_PROXY_NETWORK: {
    message:
      'proxyProtocol: "{network}" is no network; write an address, a network like 10.0.0.0/8, "loopback" or "private"',
    status: 500,
    base: 'TypeError',
    when: 'start',
  },
  UWAS_ERR_SERVER_CERTIFICATE: {
    message: 'tls: {file}: {problem}',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SERVER_CERTIFICATE_NAME: {
    message:
      'tls: {files} are both for {name}; say in `names` of one of them what it is to answer for',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SERVER_ACME_CLIENT: {
    message:
      'tls.acme needs the package acme-client, which is not installed: npm install acme-client (in {root})',
    status: 500,
    base: 'Error',
    when: 'start',
  },
  UWAS_ERR_SERVER_ACME_STATE: {
    message:
      'tls.acme: the account and the certificates are kept in {dir}, which cannot be used: {problem}; give its owner the right to write there, or set stateDir',
    status: 500,
    base: 'Error',
    when: 'start',
  },
} as const satisfies Record<`UWAS_ERR_SERVER_${string}`, ErrorEntry>
