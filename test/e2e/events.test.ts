import t from 'tap'
import { events, lastEventId, type ServerEvent } from '../../src/http/events.ts'
import { text } from '../../src/http/reply.ts'
import type { Request } from '../../src/http/request.ts'
import { serve } from '../support/application.ts'
import { startBrowser } from '../support/demo.ts'

t.setTimeout(120_000)

t.test('a browser gets events, and comes back with the last id', async (t) => {
  const seen: (string | undefined)[] = []
  async function* some(from: number): AsyncGenerator<ServerEvent> {
    for (let i = from; i < from + 2; i++)
      yield { event: 'tick', id: String(i), data: { i }, retry: 50 }
  }
  const { port } = await serve(t, (req: Request) => {
    if (req.path !== '/events') return text('')
    seen.push(lastEventId(req))
    return events(req, some(Number(lastEventId(req) ?? 0) + 1))
  })
  const browser = await startBrowser()
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  const ids = await page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const ids: string[] = []
        const source = new EventSource('/events')
        source.addEventListener('tick', (event) => {
          const { lastEventId, data } = event as MessageEvent
          ids.push(`${lastEventId} ${data}`)
          if (ids.length === 6) {
            source.close()
            resolve(ids)
          }
        })
      }),
  )
  t.strictSame(
    ids,
    [1, 2, 3, 4, 5, 6].map((i) => `${i} {"i":${i}}`),
  )
  t.strictSame(seen.slice(0, 3), [undefined, '2', '4'])
})
