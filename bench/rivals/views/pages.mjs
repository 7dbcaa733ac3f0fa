/** The two pages, concatenated by hand. */

export function sortFortunes(rows) {
  rows.push({ id: 0, message: 'Additional fortune added at request time.' })
  rows.sort((a, b) => (a.message < b.message ? -1 : 1))
  return rows
}

export function fortunesPage(rows, escapeText) {
  let page =
    '<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table><tr><th>id</th><th>message</th></tr>'
  for (const { id, message } of rows) {
    page += `<tr><td>${id}</td><td>${escapeText(message)}</td></tr>`
  }
  return `${page}</table></body></html>`
}

/** `authors` are rows too. */
export function articlesPage(articles, authors, escapeText) {
  const names = new Map(authors.map(({ id, name }) => [id, name]))
  let page = HEAD
  for (const { id, authorId, title, summary } of articles) {
    page += `<article>
  <h2><a href="/articles/${id}">${escapeText(title)}</a></h2>
  <p class="by">by ${escapeText(names.get(authorId))}</p>
  <p>${escapeText(summary)}</p>
</article>
`
  }
  return page + FOOT
}

const HEAD = `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Newest articles</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <header>
    <a href="/">The paper</a>
    <nav><a href="/articles">Articles</a><a href="/authors">Authors</a></nav>
  </header>
  <main>
    <h1>Newest articles</h1>
`
const FOOT = `  </main>
  <footer><p>Printed by hand.</p></footer>
</body>
</html>
`

const SPECIAL = /[&<>"']/
const ENTITIES = { 38: '&amp;', 60: '&lt;', 62: '&gt;', 34: '&quot;', 39: '&#39;' }

/** A text without such characters, the usual case, is given back as it is. */
export function escapeHtml(text) {
  const first = text.search(SPECIAL)
  if (first < 0) return text
  let out = ''
  let from = 0
  for (let i = first; i < text.length; i++) {
    const entity = ENTITIES[text.charCodeAt(i)]
    if (entity === undefined) continue
    out += text.slice(from, i) + entity
    from = i + 1
  }
  return out + text.slice(from)
}
