import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { run } from '../support/binary.ts'
import { temporaryFolder } from '../support/catalogue.ts'
import { startBrowser, startDemo } from '../support/demo.ts'
import { testDatabaseUrl } from '../support/postgres.ts'

const PHONE = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true }
const DESKTOP = { viewport: { width: 1200, height: 900 } }
const ENGLISH = { locale: 'en-US', javaScriptEnabled: false }
const KOREAN = { locale: 'ko-KR', javaScriptEnabled: false }
const PASSWORD = 'two lamps and a kettle'
/** Where pictures of the pages go, for people who look at them; nowhere by default. */
const PICTURES = process.env['UWAS_PICTURES'] ?? ''

t.setTimeout(300_000)

const database = await testDatabaseUrl()
const site = await startDemo({ DATABASE_URL: database })
const browser = await startBrowser()

async function visit(t: Test, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ baseURL: site, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('console', (message) => {
    const expected = /status of 4(?:04|22|03)/.test(message.text())
    if (message.type() === 'error' && !expected) t.fail(message.text())
  })
  return page
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES !== '')
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}

async function signUp(page: Page, name: string): Promise<void> {
  await page.goto('/sign-up')
  await page.fill('#name', name)
  await page.fill('#password', PASSWORD)
  await page.click('.form .button')
  // The list is the same for everybody; other pages say who is reading.
  await page.waitForURL(`${site}/`)
  await page.goto('/points')
  await page.locator('.account bdi', { hasText: name }).waitFor()
}

async function logIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.fill('#name', name)
  await page.fill('#password', password)
  await page.click('.form .button')
}

async function write(page: Page, title: string): Promise<string> {
  await page.goto('/write')
  await page.fill('#title', title)
  await page.fill('#body', 'Text')
  await page.click('.form .button')
  await page.waitForURL(/\/posts\/\d+$/)
  return new URL(page.url()).pathname
}

t.test('a neighbour signs up, logs out and comes back to where they were going', async (t) => {
  const page = await visit(t, { ...PHONE, ...KOREAN })
  await page.goto('/points')
  t.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/log-in?next=%2Fpoints')
  await picture(page, 'log-in-phone-ko')
  await page.click('.sheet .hint a >> nth=-1')
  t.match(page.url(), '/sign-up?next=%2Fpoints')
  await page.fill('#name', '한결')
  await page.fill('#password', '한결1234!!')
  await page.click('.form .button')
  t.match(await page.locator('.summary').textContent(), '비밀번호가 이름과 너무 비슷합니다.')
  t.equal(await page.locator('#name').inputValue(), '한결')
  t.equal(await page.locator('#password').inputValue(), '', 'a password is never shown again')
  await page.fill('#password', PASSWORD)
  await page.click('.form .button')
  t.equal(new URL(page.url()).pathname, '/points')
  t.match(await page.locator('.balance').textContent(), '100점')
  await picture(page, 'points-phone-ko')
  await page.click('.account button')
  await page.goto('/log-in?next=//evil.example/')
  await logIn(page, '한결', 'a wrong one')
  t.match(await page.locator('.summary').textContent(), '이름이나 비밀번호가 맞지 않습니다.')
  await logIn(page, '한결')
  t.equal(page.url(), `${site}/`, 'never to another site')
})

t.test('a name that is taken or only looks like it is refused', async (t) => {
  await signUp(await visit(t, { ...DESKTOP, ...ENGLISH }), 'Ulrika')
  const other = await visit(t, { ...DESKTOP, ...ENGLISH })
  for (const name of ['Ulrika', 'ULRIKA', 'ｕlrika']) {
    await other.goto('/sign-up')
    await logIn(other, name)
    t.match(await other.locator('.summary').textContent(), 'This name is taken')
  }
  await other.goto('/sign-up')
  await logIn(other, 'Ulrik\u0430')
  t.match(await other.locator('.summary').textContent(), 'several writing systems')
})

t.test('owners change their notes, others do not, and editors hide them', async (t) => {
  const owner = await visit(t, { ...DESKTOP, ...ENGLISH })
  await signUp(owner, 'Owner')
  const place = await write(owner, 'Mine to change')
  t.match(await owner.locator('.sheet .who').first().textContent(), /Owner ✓/)
  await owner.click('text=Edit')
  t.equal(await owner.locator('#body').inputValue(), 'Text')
  await owner.fill('#title', 'Changed by me')
  await owner.click('.form .button')
  t.equal(await owner.locator('h1').textContent(), 'Changed by me')
  await owner.fill('#comment', 'As myself')
  await owner.click('.form .button')
  t.match(await owner.locator('.comment').textContent(), /Owner.*As myself/s)
  await owner.click('.like button')
  await owner.locator('.like button[aria-pressed=true]').waitFor()
  await picture(owner, 'post-desktop-en')

  const other = await visit(t, { ...DESKTOP, ...ENGLISH })
  await signUp(other, 'Another')
  await other.goto(place)
  t.equal(await other.locator('text=Edit').count(), 0)
  t.equal(await other.locator('.like button').getAttribute('aria-pressed'), 'false')
  t.equal((await other.goto(`${place}/edit`))?.status(), 403)
  t.equal(
    (await other.goto('/posts/3/edit'))?.status(),
    403,
    'a note from before belongs to nobody',
  )
  await other.goto(place)
  const csrfToken = await other.locator('.like [name=csrfToken]').inputValue()
  const forged = { csrfToken, title: 'Stolen', body: 'x', hidden: 'yes' }
  for (const action of ['edit', 'hide']) {
    t.equal((await other.request.post(`${place}/${action}`, { form: forged })).status(), 403)
  }

  const file = join(temporaryFolder(t), 'password')
  writeFileSync(file, PASSWORD)
  const made = await run(
    ['createuser', 'Editor', '--group', 'editors', '--config', 'src/demo/uwas.config.ts'],
    { env: { DATABASE_URL: database }, stdin: openSync(file, 'r') },
  )
  t.equal(made.code, 0, made.stderr)
  const editor = await visit(t, { ...DESKTOP, ...ENGLISH })
  await editor.goto(`/log-in?next=${place}`)
  await logIn(editor, 'Editor')
  t.equal(new URL(editor.url()).pathname, place)
  await editor.click('text=Hide from the board')
  t.match(await editor.locator('.notice').textContent(), 'only editors can read this')
  await picture(editor, 'hidden-desktop-en')
  await editor.goto('/')
  t.equal(await editor.getByText('Changed by me').count(), 0)
  t.equal((await other.goto(place))?.status(), 404)
  await other.goto('/')
  t.equal(await other.getByText('Changed by me').count(), 0)
  await editor.goto(place)
  await editor.click('text=Show on the board again')
  t.equal((await other.goto(place))?.status(), 200)
})

t.test(
  'points are given with the keyboard alone, once, and never more than there are',
  async (t) => {
    const rich = await visit(t, { ...DESKTOP, ...ENGLISH })
    await signUp(rich, 'Rich')
    const poor = await visit(t, { ...PHONE, ...ENGLISH })
    await signUp(poor, 'Poor')
    const balance = async (page: Page) => {
      await page.goto('/points')
      return (await page.locator('.balance').textContent())?.trim()
    }
    await rich.goto('/points')
    for (let i = 0; i < 40 && (await rich.locator('#to:focus').count()) === 0; i++) {
      await rich.keyboard.press('Tab')
    }
    await rich.keyboard.type('poor')
    await rich.keyboard.press('Tab')
    await rich.keyboard.type('30')
    await rich.keyboard.press('Enter')
    await rich.getByText('The points have been given.').waitFor()
    await picture(rich, 'points-desktop-en')
    t.equal(await balance(rich), 'You have 70 points.')
    t.equal(await balance(poor), 'You have 130 points.')
    t.match(await poor.locator('.comment').first().textContent(), '30 from Rich')
    await picture(poor, 'points-phone-en')

    await rich.goto('/points')
    const hidden = async (name: string) => rich.locator(`.form [name=${name}]`).inputValue()
    const form = {
      token: await hidden('token'),
      csrfToken: await hidden('csrfToken'),
      to: 'Poor',
      amount: '20',
    }
    await Promise.all([1, 2, 3, 4].map(() => rich.request.post('/points', { form })))
    t.equal(await balance(rich), 'You have 50 points.', 'the same form four times is one transfer')

    for (const [to, amount, message] of [
      ['Poor', '51', 'You do not have that many points.'],
      ['Rich', '1', 'These points are yours already.'],
      ['Nobody at all', '1', 'No neighbour with an account has this name.'],
      ['Poor', '0', 'Enter a whole number, 1 or more.'],
      ['Poor', '-5', 'Enter a whole number, 1 or more.'],
      ['Poor', '1.5', 'Enter a whole number, 1 or more.'],
      ['Poor', '1e3', 'Enter a whole number, 1 or more.'],
    ] as const) {
      await rich.goto('/points')
      await rich.fill('#to', to)
      await rich.fill('#amount', amount)
      await rich.click('.form .button')
      t.match(await rich.locator('.summary').textContent(), message, `${to} ${amount}`)
    }
    t.equal(await balance(rich), 'You have 50 points.')
  },
)

t.test('no page of a member is wider than a phone', async (t) => {
  for (const language of [ENGLISH, KOREAN]) {
    const page = await visit(t, { ...PHONE, ...language, javaScriptEnabled: true })
    await signUp(page, `W${'w'.repeat(28)}${language === ENGLISH ? 'e' : 'k'}`)
    const place = await write(page, 'W'.repeat(80))
    for (const path of ['/', place, `${place}/edit`, '/points', '/log-in', '/sign-up', '/write']) {
      await page.goto(path)
      const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      t.equal(over, 0, `${path} ${language.locale}`)
      t.equal(await page.locator('h1').count(), 1, path)
    }
    await picture(page, `member-phone-${language.locale}`)
  }
})
