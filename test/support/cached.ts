/** A site of one cached view, and what it was called with. */
import type { Test } from 'tap'
import { cache } from '../../src/cache/cache.ts'
import { type Reply, text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import type { CachedOptions } from '../../src/route/cached.ts'
import { path, urlconf } from '../../src/route/urlconf.ts'
import type { UserConfig } from '../../src/was/config-types.ts'
import { siteOf } from './serving.ts'

/** Long enough to be compressed, and not so regular that every level does it as well. */
export const PAGE = Array.from(
  { length: 400 },
  (_, i) => `<li>${(i * 2_654_435_761) % 9973} of ${(i * 40_503) % 613}</li>`,
).join('')

/** Answers at `/` and at every name; `/invalidate/TAG` ends what carries a tag. */
export async function cached(
  t: Test,
  options: Partial<CachedOptions>,
  view: (req: Request, call: number) => Reply | Promise<Reply>,
  config: UserConfig = {},
) {
  let calls = 0
  const answer = (req: Request) => view(req, ++calls)
  const urls = urlconf(
    path('/invalidate/<str:tag>', (req) => {
      cache(req).invalidate(req.params.tag)
      return text('done')
    }),
    path('/', answer, { cached: { seconds: 60, ...options } }),
    path('/<str:name>', answer, { cached: { seconds: 60, ...options } }),
  )
  const site = await siteOf(t, { urls, ...config })
  return { ...site, calls: () => calls }
}
