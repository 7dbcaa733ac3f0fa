import t from 'tap'
import { mix } from '../../bench/scenarios/mix.ts'

t.test('a site: three requests of ten are pages, and every file is asked for', async (t) => {
  const { paths, view } = mix
  const part = (path: string) => paths.filter((one) => one === path).length / paths.length
  t.equal(paths[0], '/articles')
  t.ok(Math.abs(part('/articles') - 0.2) < 0.03, `${part('/articles')} articles`)
  t.ok(Math.abs(part('/fortunes') - 0.1) < 0.03, `${part('/fortunes')} fortunes`)
  t.ok((view?.reads?.times ?? 1) <= part('/articles'), 'no server has to do more than it is asked')
  const files = [...mix.files()]
  for (const [path] of files) t.ok(part(`/${path}`) > 0.03, path)
  for (const [path, body] of files) {
    const check = view?.edges?.find((edge) => edge.path === `/${path}`)?.check
    const answer = (bytes: Buffer) => ({ body: bytes }) as Parameters<NonNullable<typeof check>>[0]
    t.doesNotThrow(() => check?.(answer(body)))
    t.throws(() => check?.(answer(body.subarray(1))), /another body/)
  }
})
