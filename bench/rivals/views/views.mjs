/** What the views of all rivals share: the ids to read, and the page, concatenated by hand. */

export function randomId() {
  return 1 + Math.floor(Math.random() * 10_000)
}

/** From 1 to 500; 1 for what is no number. */
export function countOf(text) {
  return Math.min(500, Math.max(1, Math.trunc(Number(text)) || 1))
}

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
