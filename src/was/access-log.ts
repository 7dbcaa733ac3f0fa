/** The key `accessLog` of a configuration, held against its schema and made complete. Read by `config.ts`. */
import { resolve } from 'node:path'
import * as z from 'zod'
import {
  type AccessLogOptions,
  DEFAULT_ACCESS_LOG,
  LOG_STREAMS,
  type SiteAccessLog,
} from '../observe/access/options.ts'

export type AccessLogConfig = string | AccessLogOptions

const file = z.string().regex(/^[^\0]+$/, 'is empty; name a file, or "stdout"')
const most = z.int().min(0).optional()

export const accessLogSample = z.strictObject({
  prefix: z.string().regex(/^\//, 'has to start with "/"').optional(),
  route: z.string().regex(/./, 'is empty; name a pattern of the URL conf').optional(),
  share: z.number().min(0).max(1),
})

export const accessLogOptions = z.strictObject({
  file,
  format: z.string().regex(/./, 'is empty; say "combined", "common", "json", or a line').optional(),
  redact: z.array(z.string().regex(/./, 'is empty; name a query parameter')).optional(),
  sample: z.array(accessLogSample).optional(),
  maxBufferBytes: z
    .int()
    .min(64 * 1024)
    .optional(),
  maxFileBytes: most,
  maxFileSeconds: most,
  keepFiles: z.int().min(1).max(100_000).optional(),
})

export const accessLogSchema = z.union([file, accessLogOptions])

/** What the keys say together. */
export function accessLogProblems(given: AccessLogConfig | undefined): string[] {
  if (given === undefined || typeof given === 'string') return []
  return (given.sample ?? []).flatMap(({ prefix, route }, i) =>
    (prefix === undefined) === (route === undefined)
      ? [`accessLog.sample[${i}] has to have a prefix or a route, one of the two`]
      : [],
  )
}

export function accessLogOf(
  given: AccessLogConfig | undefined,
  root: string,
): SiteAccessLog | null {
  if (given === undefined) return null
  const options = typeof given === 'string' ? { file: given } : given
  const known = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    ...DEFAULT_ACCESS_LOG,
    ...Object.fromEntries(known),
    file: logFileOf(options.file, root),
  }
}

/** Absolute, unless it is a stream of the process. */
export function logFileOf(file: string, root: string): string {
  return Object.hasOwn(LOG_STREAMS, file) ? file : resolve(root, file)
}
