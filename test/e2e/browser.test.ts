import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startBrowser, startDemo } from '../support/demo.ts'

const PHONE = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true }
const DESKTOP = { viewport: { width: 1200, height: 900 } }
const ENGLISH = { locale: 'en-US' }
const KOREAN = { locale: 'ko-KR' }

t.setTimeout(300_000)

const site = await startDemo()
const browser = await startBrowser()

/** A fresh visitor. What the page's console reports as an error fails the test, blocked content above all. */
async function visit(t: Test, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ baseURL: site, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(`script failed: ${error.message}`))
  page.on('console', (message) => {
    const expected = /status of 4(?:04|22|03)/.test(message.text())
    if (message.type() === 'error' && !expected) t.fail(message.text())
  })
  return page
}

/** Presses Tab until the element has the focus; the order of the page must lead there. */
async function tabTo(page: Page, selector: string, limit = 40): Promise<void> {
  for (let presses = 0; presses < limit; presses++) {
    await page.keyboard.press('Tab')
    if ((await page.locator(`${selector}:focus`).count()) > 0) return
  }
  throw new Error(`${selector} was not reached by ${limit} presses of Tab`)
}

/** The text of the first such element, each run of blanks as one. */
async function textOf(page: Page, selector: string): Promise<string> {
  const text = (await page.locator(selector).first().textContent()) ?? ''
  return text.replace(/[^\S\n]+/g, ' ').trim()
}

async function write(page: Page, author: string, title: string, body: string): Promise<void> {
  await page.goto('/write')
  await page.fill('#author', author)
  await page.fill('#title', title)
  await page.fill('#body', body)
  await page.click('.form .button')
}

t.test('a note is written with the keyboard alone', async (t) => {
  const page = await visit(t, { ...DESKTOP, ...ENGLISH })
  await page.goto('/')
  await page.keyboard.press('Tab')
  t.equal(await textOf(page, ':focus'), 'Skip to the content')
  await tabTo(page, '.intro .button')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/write')
  await tabTo(page, '#author')
  await page.keyboard.type('Keyboard')
  await page.keyboard.press('Tab')
  await page.keyboard.type('Without a mouse')
  await page.keyboard.press('Tab')
  await page.keyboard.type('First line')
  await page.keyboard.press('Enter')
  await page.keyboard.type('Second line')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/posts\/\d+$/)
  t.equal(await textOf(page, 'h1'), 'Without a mouse')
  t.equal(await textOf(page, '.prose'), 'First line\nSecond line')
  await page.goto('/')
  t.equal(await textOf(page, '.card h2'), 'Without a mouse', 'newest first')
})

t.test(
  'a form with mistakes comes back with values, errors and focus, without scripts',
  async (t) => {
    const page = await visit(t, { ...PHONE, ...KOREAN, javaScriptEnabled: false })
    await write(page, '한결', '  ', '가'.repeat(4001))
    t.equal(page.url(), `${site}/write`)
    t.match(await textOf(page, '.summary'), '고칠 곳이 2군데 있어요')
    t.match(await textOf(page, '.summary'), '내용이 1자 넘칩니다.')
    t.equal(await page.locator('#author').inputValue(), '한결')
    t.equal((await page.locator('#body').inputValue()).length, 4001)
    t.equal(await page.locator('#author').getAttribute('aria-invalid'), null)
    t.equal(await page.locator('#title').getAttribute('aria-invalid'), 'true')
    const described = await page.locator('#title').getAttribute('aria-describedby')
    t.equal(described, 'title-error title-hint')
    t.match(await textOf(page, '#title-error'), '제목을 적어 주세요.')
    await page.fill('#title', '고친 제목')
    await page.fill('#body', '고친 내용')
    await page.click('.form .button')
    await page.waitForURL(/\/posts\/\d+$/)
    t.equal(await textOf(page, 'h1'), '고친 제목')
    await page.goto('/write')
    t.equal(await page.locator('#author').inputValue(), '한결', 'the name is remembered')
  },
)

t.test('the summary of errors has the focus, and its links lead to the fields', async (t) => {
  const page = await visit(t, { ...DESKTOP, ...ENGLISH })
  await write(page, '', 'Title', '')
  await page.locator('.summary:focus').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.locator('#author:focus').waitFor()
  t.match(await page.title(), /^2 things to put right/)
})

t.test('a comment appears below its note and is counted', async (t) => {
  const page = await visit(t, { ...PHONE, ...ENGLISH, javaScriptEnabled: false })
  await write(page, 'Mara', 'A note to talk about', 'Text')
  t.match(await textOf(page, '#comments'), 'No comments yet')
  await page.fill('#comment', 'One\n<script>alert(1)</script>')
  await page.click('.form .button')
  await page.waitForURL(/#comment-\d+$/)
  t.equal(await textOf(page, '#comments h2'), '1 comment')
  t.equal(await textOf(page, '.comment > p'), 'One\n<script>alert(1)</script>')
  await page.fill('#comment', '')
  await page.click('.form .button')
  t.match(await textOf(page, '.summary'), 'Write something in the comment.')
  t.equal(await page.locator('#author').inputValue(), 'Mara')
})

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with' : 'without'
  t.test(`a like is counted once a visitor and taken back, ${how} scripts`, async (t) => {
    const page = await visit(t, { ...DESKTOP, ...ENGLISH, javaScriptEnabled })
    await write(page, 'Theo', `To be liked ${how} scripts`, 'Text')
    const button = page.locator('.like button')
    const expectState = async (pressed: string, count: string) => {
      await page.locator(`.like button[aria-pressed=${pressed}]`).waitFor()
      t.equal(await textOf(page, '.like .count'), count)
    }
    await expectState('false', '0')
    await button.click()
    await expectState('true', '1')
    await page.reload()
    await expectState('true', '1')
    const other = await visit(t, { ...DESKTOP, ...ENGLISH, javaScriptEnabled })
    await other.goto(page.url())
    await other.locator('.like button').click()
    await other.locator('.like button[aria-pressed=true]').waitFor()
    t.equal(await textOf(other, '.like .count'), '2')
    await button.click()
    await expectState('false', '1')
  })
}

t.test('the language follows the browser, then the switch, and stays on its page', async (t) => {
  const page = await visit(t, { ...PHONE, ...KOREAN, javaScriptEnabled: false })
  await page.goto('/?page=2')
  t.equal(await page.locator('html').getAttribute('lang'), 'ko')
  t.equal(await textOf(page, 'h1'), '오늘 마당에는')
  await page.click('.language button')
  t.equal(page.url(), `${site}/?page=2`)
  t.equal(await page.locator('html').getAttribute('lang'), 'en')
  await page.goto('/write')
  t.equal(await textOf(page, 'h1'), 'Write a note')
  await page.click('.language button')
  t.equal(await textOf(page, 'h1'), '글쓰기')
})

t.test('a form sent twice at once makes one note', async (t) => {
  const page = await visit(t, { ...DESKTOP, ...ENGLISH })
  await page.goto('/write')
  const token = await page.locator('[name=token]').inputValue()
  const csrfToken = await page.locator('.form [name=csrfToken]').inputValue()
  const form = { token, csrfToken, author: 'Twice', title: 'Once', body: 'Only' }
  const send = async () => (await page.request.post('/write', { form })).url()
  const places = await Promise.all([send(), send(), send()])
  t.match(places[0], /\/posts\/\d+$/)
  t.equal(new Set(places).size, 1)
  await page.goto('/')
  t.equal(await page.locator('.card h2', { hasText: 'Once' }).count(), 1)
})

t.test('a form on another site changes nothing', async (t) => {
  const page = await visit(t, { ...DESKTOP, ...ENGLISH })
  await page.setContent(
    `<form method="post" action="${site}/write"><input name="author" value="Mallory">
     <input name="title" value="Forged"><input name="body" value="x"><button>Go</button></form>`,
  )
  await page.click('button')
  await page.locator('.wrong').waitFor()
  t.match(await textOf(page, '.wrong'), '403 Forbidden')
  t.match(await textOf(page, '.wrong'), 'This form came from another site')
  await page.goto('/')
  t.equal(await page.getByText('Forged').count(), 0)
})

t.test('what a visitor writes is text, never markup', async (t) => {
  const page = await visit(t, { ...DESKTOP, ...ENGLISH })
  const evil = '"><img src=x onerror=alert(1)>{{t.site}}'
  page.on('dialog', () => t.fail('a script ran'))
  await write(page, evil.slice(0, 30), evil, evil)
  await page.waitForURL(/\/posts\/\d+$/)
  t.equal(await textOf(page, 'h1'), evil)
  t.equal(await textOf(page, '.prose'), evil)
})

t.test('a page that is not there says so in both languages', async (t) => {
  const page = await visit(t, { ...PHONE, ...KOREAN })
  for (const path of ['/nothing', '/posts/99999999', '/?page=99']) {
    t.equal((await page.goto(path))?.status(), 404, path)
    const text = await textOf(page, 'main')
    t.match(text, '찾는 글이 여기 없어요')
    t.match(text, 'There is no such note here')
  }
})

t.test('the way of a request is drawn with the times of a fresh measurement', async (t) => {
  const page = await visit(t, { ...PHONE, ...ENGLISH })
  await page.goto('/flow')
  await page.click('.measure button')
  await page.locator('.ticket.file', { hasText: '/static/css/base.css' }).waitFor()
  t.match(await textOf(page, '.ticket.page'), /GET \/\s+[\d.,]+ (?:ms|µs)/)
  const row = (name: string) => page.getByRole('row', { name }).first()
  const timeOf = async (step: string, line: string) =>
    (await row(step).locator(`.time.${line}`).textContent())?.trim()
  for (const step of ['Web server', 'URL conf', 'View', 'Model', 'Template', 'Reply']) {
    t.match(await timeOf(step, 'page'), /^[\d.,]+ (?:ms|µs)$/, step)
  }
  for (const step of ['Web server', 'Files', 'Reply']) {
    t.match(await timeOf(step, 'file'), /^[\d.,]+ (?:ms|µs)$/, step)
  }
  t.match(await row('Model').textContent(), '2 statements')
})

t.test('no page is wider than its window, in either language and colour scheme', async (t) => {
  const author = await visit(t, { ...DESKTOP, ...ENGLISH })
  await write(author, 'W'.repeat(30), 'W'.repeat(80), 'W'.repeat(900))
  await author.waitForURL(/\/posts\/\d+$/)
  const wide = new URL(author.url()).pathname
  for (const language of [ENGLISH, KOREAN]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await visit(t, { ...PHONE, ...language, colorScheme })
      for (const path of ['/', '/?page=2', '/posts/7', wide, '/write', '/flow', '/nothing']) {
        await page.goto(path)
        const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        t.equal(over, 0, `${path} ${language.locale} ${colorScheme}`)
      }
    }
  }
})

t.test(
  'every page has one main heading, one main landmark and a name for every control',
  async (t) => {
    const page = await visit(t, { ...DESKTOP, ...ENGLISH })
    for (const path of ['/', '/posts/7', '/write', '/flow']) {
      await page.goto(path)
      t.equal(await page.locator('h1').count(), 1, path)
      t.equal(await page.getByRole('main').count(), 1, path)
      for (const control of await page
        .locator('a, button, input:not([type=hidden]), textarea')
        .all()) {
        const snapshot = await control.ariaSnapshot()
        t.match(snapshot, /"[^"]+"/, `${path}: ${snapshot}`)
      }
    }
  },
)
