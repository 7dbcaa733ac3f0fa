/**
 * TLS versions, ciphers and groups, by name. Mozilla's recommendations of version 5.7
 * (https://wiki.mozilla.org/Security/Server_Side_TLS) without ciphers of finite-field Diffie-Hellman, which no
 * client has alone. Pure: a policy's name in, options for Node's `tls` out.
 */
import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'

/** `modern`: TLS 1.3 alone. `intermediate`: TLS 1.2 too, with forward secrecy and authenticated ciphers. */
export type TlsPolicy = 'modern' | 'intermediate'

const SUITES_1_3 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
]

/** None of them is on HTTP/2's list of refused ciphers (RFC 9113 appendix A). */
const CIPHERS_1_2 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

/** Who has no fast AES prefers ChaCha20: the client's order counts. A renegotiation is never needed, and costs the server most. */
export function policyOptions(policy: TlsPolicy): SecureContextOptions {
  const ciphers = policy === 'modern' ? SUITES_1_3 : [...SUITES_1_3, ...CIPHERS_1_2]
  return {
    minVersion: policy === 'modern' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: ciphers.join(':'),
    ecdhCurve: 'X25519:prime256v1:secp384r1',
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION,
  }
}

/** Of OpenSSL's `ssl.h`; Node does not name it. */
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000
