/**
 * One order, from the account to the certificate, by `acme-client`. Gets what is wanted, leaves the key and the
 * certificate with its chain; meanwhile an answer to the authority's question stands in the folder of challenges.
 */
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { Client } from 'acme-client'
import type { SiteAcme } from '../../../was/acme.ts'
import { type Acme, loadAcmeClient } from './client.ts'
import { replaceSecret } from './store.ts'

export interface Order
  extends Pick<SiteAcme, 'directory' | 'email' | 'keyType' | 'caFile' | 'externalAccount'> {
  readonly name: string
  /** PEM. */
  readonly accountKey: string
  readonly challengesDir: string
  /** Where the library is. */
  readonly client: string
}

/** PEM: the key, then the certificate and those that lead to a root. */
export type Issue = (order: Order) => Promise<string>

/** Of each request. */
const REQUEST_MS = 30_000
/** Between two looks at what the authority is doing, and how many there are. */
const POLLS = { backoffMin: 1_000, backoffMax: 10_000, backoffAttempts: 20 }
const RSA_BITS = 2048

/** Rejects with what the authority, or the way there, has said. */
export const issueCertificate: Issue = async (order) => {
  const acme = loadAcmeClient(order.client)
  prepare(acme, order)
  const { name, externalAccount: external, challengesDir } = order
  const client = new acme.Client({
    directoryUrl: order.directory,
    accountKey: order.accountKey,
    ...POLLS,
    ...(external !== null && {
      externalAccountBinding: { kid: external.keyId, hmacKey: external.hmacKey },
    }),
  })
  await register(client, order.email)
  const key =
    order.keyType === 'rsa'
      ? await acme.crypto.createPrivateRsaKey(RSA_BITS)
      : await acme.crypto.createPrivateEcdsaKey()
  const [, csr] = await acme.crypto.createCsr({ altNames: [name] }, key)
  const chain = await client.auto({
    csr,
    // It would ask the name from here, which a router need not allow.
    skipChallengeVerification: true,
    challengePriority: ['http-01'],
    challengeCreateFn: async (_authz, { type, token }, proof) => {
      if (type !== 'http-01') throw new Error(`the authority offers ${type}, and no http-01`)
      await replaceSecret(join(challengesDir, safe(token)), proof)
    },
    challengeRemoveFn: async (_authz, { token }) => {
      await rm(join(challengesDir, safe(token)), { force: true })
    },
  })
  return `${key.toString().trim()}\n${chain.trim()}\n`
}

/**
 * The library tries again by itself what fails on the way, for as long as the authority says, and then loses what it
 * was: all of that is the keeper's.
 */
function prepare({ axios }: Acme, { caFile }: Order): void {
  axios.interceptors.request.clear()
  axios.interceptors.response.clear()
  axios.defaults.timeout = REQUEST_MS
  const roots = caFile === null ? null : [...rootCertificates, readFileSync(caFile, 'utf8')]
  axios.defaults.httpsAgent = new Agent(roots === null ? {} : { ca: roots })
}

/**
 * The account of the key: a new one, or the one that is there (RFC 8555 section 7.3.1). That one the library changes to
 * what it has just been told, which authorities may refuse where nothing changes: it is good as it is.
 */
async function register(client: Client, email: string | null): Promise<void> {
  const contact = email === null ? {} : { contact: [`mailto:${email}`] }
  try {
    await client.createAccount({ termsOfServiceAgreed: true, ...contact })
  } catch (error) {
    if (!isKnown(client)) throw error
  }
}

function isKnown(client: Client): boolean {
  try {
    return client.getAccountUrl() !== ''
  } catch {
    return false
  }
}

/** It becomes the name of a file. */
function safe(token: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(token)) return token
  throw new Error('the authority gives a token that is not in base64url')
}
