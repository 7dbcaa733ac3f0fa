/** What other readers of a note do, as it happens. Without a WebSocket the page stays as it was loaded. */

const MOST_WAIT_MS = 30_000

const place = document.querySelector('[data-live]')
let socket
let failures = 0
let timer

if (place !== null) {
  open()
  // A page that the browser keeps for its Back button must hold no connection.
  addEventListener('pagehide', leave)
  addEventListener('pageshow', (event) => {
    if (event.persisted) open()
  })
}

function open() {
  const address = new URL(place.dataset.live, location.href)
  address.protocol = address.protocol.replace('http', 'ws')
  const own = new WebSocket(address)
  socket = own
  own.addEventListener('open', () => {
    if (failures > 0) refreshComments()
    failures = 0
  })
  own.addEventListener('message', ({ data }) => take(JSON.parse(data)))
  own.addEventListener('close', () => {
    if (socket !== own) return
    show('')
    failures += 1
    const wait = Math.min(MOST_WAIT_MS, 1_000 * 2 ** (failures - 1))
    timer = setTimeout(open, wait * (0.5 + Math.random()))
  })
}

function leave() {
  const own = socket
  socket = undefined
  clearTimeout(timer)
  own?.close(1000)
}

function take({ readers, likes, comments }) {
  if (readers !== undefined) show(readers)
  if (likes !== undefined) document.querySelector('form.like .count').textContent = likes
  if (comments) refreshComments()
}

function show(readers) {
  place.textContent = readers
  place.hidden = readers === ''
}

/** The list of the page as it is now, in place of the one that was loaded. */
async function refreshComments() {
  try {
    const reply = await fetch(location.href)
    if (!reply.ok) return
    const page = new DOMParser().parseFromString(await reply.text(), 'text/html')
    const fresh = page.getElementById('comments')
    if (fresh !== null) document.getElementById('comments')?.replaceWith(fresh)
  } catch {
    // The next message, or the reader, tries again.
  }
}
