/**
 * The library that speaks ACME: `acme-client`, which only sites with `tls.acme` need, so that it comes from them.
 * Looked for by what serves and by `uwas check`, loaded by the thread that orders: it takes a second, and 28 MB.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as AcmeClient from 'acme-client'
import { createError } from '../../../core/errors.ts'

export type Acme = typeof AcmeClient

const PACKAGE = 'acme-client'

/** Where it begins: among the site's packages, else beside uwas. Throws UWAS_ERR_SERVER_ACME_CLIENT. */
export function findAcmeClient(root: string, own: string = fileURLToPath(import.meta.url)): string {
  for (const from of [join(root, 'package.json'), own]) {
    try {
      return createRequire(from).resolve(PACKAGE)
    } catch {
      // Not here: the next place may have it.
    }
  }
  throw createError('UWAS_ERR_SERVER_ACME_CLIENT', { root })
}

/** `file` is what `findAcmeClient` gives. */
export function loadAcmeClient(file: string): Acme {
  return createRequire(import.meta.url)(file) as Acme
}
