/**
 * Conditional views: a view tells what its answer is known by before it makes it, and a client that has
 * it already gets 304 without the work. Views call it; the order of evaluation is conditional.ts's.
 */
import { createError } from '../core/errors.ts'
import { evaluatePreconditions, type Validators } from './conditional.ts'
import { formatHttpDate } from './date.ts'
import { HttpError } from './http-error.ts'
import { Reply } from './reply.ts'
import type { Request } from './request.ts'

/** What the answer is known by; at least one of the two, else there is nothing to compare. */
export interface ConditionOptions {
  /** The whole tag with its quotes, `"7"` or `W/"7"` (RFC 9110 section 8.8.3). A compressed reply's becomes weak. */
  readonly etag?: string
  /** When the content changed last; counted in whole seconds, as the field is. */
  readonly lastModified?: Date
  /** Fields that a 304 must tell as the 200 would (section 15.4.5): Cache-Control, Vary, Expires. On both. */
  readonly headers?: Readonly<Record<string, string>>
}

const ETAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/

/**
 * Evaluates the request's preconditions (RFC 9110 section 13.2.2) before `make` is called: 304 where the
 * client of a GET or HEAD has the content, a thrown HttpError 412 where it meant another one. Else the
 * reply of `make`; one to a GET or HEAD with status 200 gets ETag, Last-Modified and `headers`.
 * An `etag` or date that cannot be sent is UWAS_ERR_HTTP_VALIDATOR.
 */
export function condition(
  req: Request<unknown>,
  options: ConditionOptions,
  make: () => Reply,
): Reply
export function condition(
  req: Request<unknown>,
  options: ConditionOptions,
  make: () => Promise<Reply>,
): Reply | Promise<Reply>
export function condition(
  req: Request<unknown>,
  options: ConditionOptions,
  make: () => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  const current = validatorsOf(options)
  const isRead = req.method === 'GET' || req.method === 'HEAD'
  const conditions = {
    ifMatch: req.header('if-match') ?? '',
    ifUnmodifiedSince: req.header('if-unmodified-since') ?? '',
    ifNoneMatch: req.header('if-none-match') ?? '',
    ifModifiedSince: req.header('if-modified-since') ?? '',
  }
  const verdict = evaluatePreconditions(conditions, current, isRead)
  if (verdict === 'failed') throw new HttpError(412)
  const tell = (reply: Reply): Reply => addFields(reply, current, options.headers)
  if (verdict === 'notModified') return tell(new Reply(304, null, null))
  const made = make()
  // The tag of what a PUT replaces is not the tag of what it makes.
  if (!isRead) return made
  const tellOk = (reply: Reply): Reply => (reply.status === 200 ? tell(reply) : reply)
  return made instanceof Promise ? made.then(tellOk) : tellOk(made)
}

function validatorsOf({ etag = '', lastModified }: ConditionOptions): Validators {
  if (etag === '' && lastModified === undefined) {
    throw createError('UWAS_ERR_HTTP_VALIDATOR', { value: 'neither etag nor lastModified' })
  }
  if (etag !== '' && !ETAG.test(etag)) {
    throw createError('UWAS_ERR_HTTP_VALIDATOR', { value: `etag ${JSON.stringify(etag)}` })
  }
  if (lastModified === undefined) return { etag, lastModifiedMs: Number.NaN }
  const lastModifiedMs = Math.floor(lastModified.getTime() / 1000) * 1000
  if (Number.isNaN(lastModifiedMs)) {
    throw createError('UWAS_ERR_HTTP_VALIDATOR', { value: 'lastModified: an invalid date' })
  }
  return { etag, lastModifiedMs }
}

function addFields(
  reply: Reply,
  { etag, lastModifiedMs }: Validators,
  headers: ConditionOptions['headers'],
): Reply {
  if (etag !== '') reply.header('ETag', etag)
  if (!Number.isNaN(lastModifiedMs)) reply.header('Last-Modified', formatHttpDate(lastModifiedMs))
  for (const name in headers) reply.header(name, headers[name] as string)
  return reply
}
