import t from 'tap'
import { formSite, GOOD } from './site.ts'

const client = await formSite(t)
const post = (values: Record<string, string>, at = '/all') => client.post(at, { form: values })
const line = (text: string, part: string) =>
  text.split('\n').find((each) => each.includes(part)) ?? ''

t.test('a field has the widget and the attributes that its schema says', async (t) => {
  const { text, status } = await client.get('/all')
  t.equal(status, 200)
  t.equal(
    line(text, 'id="title"').trim(),
    '<input type="text" id="title" name="title" value="" required minlength="2" maxlength="8" pattern="[a-z ]+" autocomplete="off" dir="auto" aria-describedby="title-hint">',
  )
  t.equal(
    line(text, 'id="mail"').trim(),
    '<input type="email" id="mail" name="mail" value="" required autocomplete="email">',
  )
  t.equal(
    line(text, 'id="stars"').trim(),
    '<input type="number" id="stars" name="stars" value="3" min="1" max="5" step="1">',
  )
  t.equal(
    line(text, 'id="price"').trim(),
    '<input type="number" id="price" name="price" value="" min="0.5" step="0.5">',
  )
  t.equal(
    line(text, 'id="big"').trim(),
    '<input type="text" id="big" name="big" value="" inputmode="numeric" dir="auto">',
  )
  t.equal(
    line(text, 'id="when"').trim(),
    '<input type="datetime-local" id="when" name="when" value="" min="2020-01-01T00:00">',
  )
  t.match(line(text, 'id="day"'), 'type="date"')
  t.equal(
    line(text, 'id="body"').trim(),
    '<textarea id="body" name="body" rows="4" maxlength="20" dir="auto">&#10;</textarea>',
  )
  t.match(
    text,
    /<select id="colour" name="colour" required>\s*<option value="">–<\/option>\s*<option value="red">Red<\/option>\s*<option value="dark-blue">Dark blue</,
  )
  t.match(text, /<fieldset class="field">\s*<legend>Size<\/legend>/)
  t.match(text, '<input type="radio" id="size" name="size" value="1"> Small')
  t.match(text, '<input type="radio" id="size-2" name="size" value="2"> Large')
  t.match(text, '<input type="checkbox" id="tags-2" name="tags" value="b"> B')
  t.match(text, '<input type="checkbox" id="news" name="news" value="true"> News')
  t.match(text, '<input type="checkbox" id="terms" name="terms" value="true" required> Terms')
  t.match(text, '<input type="hidden" name="ref" value="">')
  t.match(text, '<label for="title">Title</label>')
  t.notMatch(text, /enctype|aria-invalid|role="alert"|action=/)
})

t.test(
  'a good form gives typed values; what was left out is missing, null or its default',
  async (t) => {
    const reply = await post({
      ...GOOD,
      title: '  hello  ',
      body: 'a\r\nb',
      price: '1.5',
      big: '12345678901234567890',
      size: '2',
      news: 'true',
      when: '2026-01-31T10:00',
      day: '2026-01-31',
      unknown: 'x',
      __proto__x: '1',
    })
    t.equal(reply.status, 200, reply.text)
    t.strictSame(reply.json(), {
      title: 'hello',
      body: 'a\nb',
      mail: 'a@example.org',
      stars: 4,
      price: 1.5,
      big: '12345678901234567890',
      colour: 'red',
      size: 2,
      tags: [],
      when: '2026-01-31T10:00:00.000Z',
      day: '2026-01-31',
      news: true,
      terms: true,
      ref: 'none',
      note: null,
    })
    const { stars: _, ...rest } = GOOD
    t.match((await post(rest)).json(), { stars: 3, news: false })
    const body = new URLSearchParams({ ...GOOD, tags: 'a' })
    body.append('tags', 'c')
    const many = await client.post('/all', {
      body: body.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    t.match(many.json(), { tags: ['a', 'c'] })
  },
)

t.test('a bad form comes again with what was written and an error at each field', async (t) => {
  const reply = await post({
    ...GOOD,
    title: 'A<b>',
    mail: 'x',
    stars: '1.5',
    secret: 'ab',
    colour: 'pink',
    big: '1e3',
    when: '2026-02-30',
    news: 'maybe',
  })
  t.equal(reply.status, 422)
  const { text } = reply
  t.equal(
    line(text, '<input type="text" id="title"').trim(),
    '<input type="text" id="title" name="title" value="A&lt;b&gt;" required minlength="2" maxlength="8" pattern="[a-z ]+" autocomplete="off" dir="auto" aria-describedby="title-error title-hint" aria-invalid="true">',
  )
  t.match(
    text,
    '<p class="error" id="title-error"><span class="unseen">Error:</span> It does not have the form that is asked for.</p>',
  )
  t.match(text, '<h2 id="summary">8 things to put right</h2>')
  t.match(text, '<li><a href="#mail">Write an address like name@example.org.</a></li>')
  t.match(text, '<li><a href="#stars">Write a whole number.</a></li>')
  t.match(text, '<a href="#secret">Write at least 3 characters.</a>')
  t.match(text, '<a href="#colour">Choose one of these.</a>')
  t.match(text, '<a href="#when">Write a date and time.</a>')
  t.match(text, '<a href="#big">Write a whole number.</a>')
  t.match(text, '<a href="#news">Choose one of these.</a>')
  t.match(text, /type="password"[^>]*value=""/)
  t.notMatch(text, '"ab"', 'a password is never written again')
  t.match(text, '<input type="checkbox" id="terms" name="terms" value="true" checked required>')
  const missing = (await post({ title: '\u3164' })).text
  t.match(missing, '<a href="#title">Fill this in.</a>')
  t.match(missing, '<a href="#terms">Fill this in.</a>')
  t.match(missing, '<a href="#colour">Fill this in.</a>')
})

t.test('what only the saving finds stands at its field, the rest above the form', async (t) => {
  const { status, text } = await post({ ...GOOD, title: 'taken' })
  t.equal(status, 422)
  t.match(text, '<li><a href="#title">is taken</a></li>')
  t.match(text, '<li>is odd</li>')
  t.match(text, '<li>no way</li>')
})

t.test('a form speaks the language of its request; words of the schema stand first', async (t) => {
  const bad = { name: 'much', age: 'x' }
  const german = (await post(bad, '/words?lang=de')).text
  t.match(german, '<h2 id="w-summary">2 Fehler</h2>')
  t.match(german, '<a href="#w-name">hat mehr als 3</a>')
  t.match(german, '<span class="unseen">Fehler:</span> eine Zahl!')
  t.match(german, '<label for="w-age">Alter</label>')
  t.match(german, '<button class="button">Ab</button>')
  t.match(german, '<p class="hint" id="w-name-hint">Kurz</p>')
  const english = (await post(bad, '/words')).text
  t.match(english, 'Write at most 3 characters.')
  t.match(english, 'eine Zahl!')
  t.equal(
    (await post(bad, '/own?lang=de')).text,
    '[w-name Name much hat mehr als 3]name: hat mehr als 3 age: eine Zahl! ',
  )
})

t.test('a search form is read from the query', async (t) => {
  t.match((await client.get('/search?name=ab&age=7')).json(), {
    isValid: true,
    values: { name: 'ab', age: 7 },
  })
  t.match((await client.get('/search?name=ab')).json(), {
    isValid: false,
    problems: { age: 'eine Zahl!' },
  })
})

t.test('files are checked by their bytes', async (t) => {
  const page = (await client.get('/files')).text
  t.match(page, '<form class="form" method="post" enctype="multipart/form-data">')
  t.match(page, '<input type="file" id="photo" name="photo" accept="image/png,image/gif" required>')
  t.match(page, '<input type="file" id="more" name="more" multiple>')
  const send = (parts: [string, string | Blob, string?][]) => {
    const body = new FormData()
    for (const [name, value, file] of parts) {
      if (typeof value === 'string') body.append(name, value)
      else body.append(name, value, file ?? 'x')
    }
    return client.post('/files', { body })
  }
  const gif = new Blob(['GIF89a…'], { type: 'text/plain' })
  const good = await send([
    ['title', 't'],
    ['photo', gif, 'a.gif'],
    ['more', gif],
    ['more', gif],
  ])
  t.strictSame(good.json(), { photo: ['a.gif', 9, 'image/gif'], more: 2 })
  const wrong = await send([
    ['title', 't'],
    ['photo', new Blob(['<script>'], { type: 'image/png' })],
  ])
  t.equal(wrong.status, 422)
  t.match(wrong.text, 'The file has to be one of image/png, image/gif.')
  t.match(wrong.text, 'value="t"')
  t.match(
    (
      await send([
        ['title', 't'],
        ['photo', new Blob(['GIF89a', 'x'.repeat(100)])],
      ])
    ).text,
    'The file is larger than 100 bytes.',
  )
  t.match(
    (
      await send([
        ['title', 't'],
        ['photo', gif],
        ['photo', gif],
      ])
    ).text,
    'It was sent more than once.',
  )
  t.match(
    (
      await send([
        ['title', 't'],
        ['photo', gif],
        ['more', gif],
        ['more', gif],
        ['more', gif],
      ])
    ).text,
    'Choose at most 2.',
  )
  t.match((await send([['title', 't']])).text, '<a href="#photo">Fill this in.</a>')
  t.match(
    (await post({ title: 't', photo: 'GIF89a' }, '/files')).text,
    '<a href="#photo">Fill this in.</a>',
  )
})

t.test('a table makes a form, of the columns that it is given', async (t) => {
  t.strictSame((await post({ body: 'abc', isAdmin: 'true' }, '/note')).json(), {
    body: 'abc',
    mark: null,
  })
  const { text } = await post({ body: 'abcdef' }, '/note')
  t.match(text, 'Write at most 5 characters.')
  t.notMatch(text, 'isAdmin')
})

t.test('the proof of the site goes with forms that post, and is asked for', async (t) => {
  const safe = await formSite(t, { csrf: {}, secrets: ['0123456789abcdef0123456789abcdef'] })
  const { text } = await safe.get('/words')
  const token = /<input type="hidden" name="csrfToken" value="([\w-]{86})">/.exec(text)?.[1] ?? ''
  const reply = await safe.post('/words', { form: { csrfToken: token, name: 'ab', age: '3' } })
  t.equal(reply.status, 303)
  t.notMatch((await client.get('/words')).text, 'csrfToken', 'a site that checks nothing has none')
})
