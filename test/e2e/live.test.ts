import t from 'tap'
import { startBrowser, startDemo } from '../support/demo.ts'

t.setTimeout(120_000)

const site = await startDemo()
const browser = await startBrowser()

async function visitor(locale: string) {
  const context = await browser.newContext({ baseURL: site, locale })
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(`script failed: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') t.fail(`${message.text()} ${message.location().url}`)
  })
  return { page, leave: () => context.close() }
}

t.test(
  'readers of a note see each other, likes and comments, each in their own words',
  async (t) => {
    const first = await visitor('en-US')
    await first.page.goto('/posts/1')
    const readers = first.page.locator('.readers')
    t.notOk(await readers.isVisible(), 'who reads alone is not told so')

    const second = await visitor('ko-KR')
    await second.page.goto('/posts/1')
    await second.page.getByText('2명이 함께 읽고 있어요').waitFor()
    await first.page.getByText('2 people are reading').waitFor()

    const likes = first.page.locator('.like .count')
    const before = Number(await likes.textContent())
    await second.page.click('.like button')
    await first.page.locator('.like .count', { hasText: String(before + 1) }).waitFor()

    await second.page.fill('#author', '민아')
    await second.page.fill('#comment', '지금 막 쓴 댓글')
    await second.page.click('.form .button')
    await first.page.getByText('지금 막 쓴 댓글').waitFor()
    t.equal(
      await first.page.locator('.comment').count(),
      await second.page.locator('.comment').count(),
    )

    await second.page.goto('/')
    await readers.waitFor({ state: 'hidden' })
    await second.page.goBack()
    await first.page.getByText('2 people are reading').waitFor()
    await second.leave()
    await readers.waitFor({ state: 'hidden' })
    await first.leave()
  },
)

t.test('a page of another site may not listen', async (t) => {
  const { page, leave } = await visitor('en-US')
  await page.goto('/')
  const attempt = (path: string) =>
    page.evaluate(
      (address) =>
        new Promise((resolve) => {
          const socket = new WebSocket(address)
          socket.onopen = () => resolve('open')
          socket.onclose = ({ code }) => resolve(code)
        }),
      site.replace('http', 'ws') + path,
    )
  t.equal(await attempt('/posts/1/live'), 'open')
  const other = await browser.newPage()
  await other.goto(`${site.replace('localhost', '127.0.0.1')}/robots.txt`)
  const refused = await other.evaluate(
    (address) =>
      new Promise((resolve) => {
        const socket = new WebSocket(address)
        socket.onopen = () => resolve('open')
        socket.onclose = ({ code }) => resolve(code)
      }),
    `${site.replace('http', 'ws')}/posts/1/live`,
  )
  t.equal(refused, 1006)
  await other.close()
  await leave()
})
