/** Small comforts. Every page does all that it promises without this file. */

const lang = document.documentElement.lang

/** Times in the visitor's own zone. */
for (const time of document.querySelectorAll('time[data-local]')) {
  const format = new Intl.DateTimeFormat(lang, { dateStyle: 'long', timeStyle: 'short' })
  time.textContent = format.format(new Date(time.dateTime))
}

/** How much of a field's limit is used, in code points, as the server counts. */
for (const field of document.querySelectorAll('[data-max]')) {
  const max = Number(field.dataset.max)
  const counter = document.createElement('span')
  counter.className = 'counter'
  counter.setAttribute('aria-hidden', 'true')
  document.getElementById(`${field.id}-hint`)?.append(counter)
  const count = () => {
    const used = [...field.value.trim().normalize('NFC')].length
    counter.textContent = `${used.toLocaleString(lang)} / ${max.toLocaleString(lang)}`
    counter.classList.toggle('over', used > max)
  }
  field.addEventListener('input', count)
  count()
}

/** A like without leaving the page: sends the same form, and takes the button's new state from the reply. */
for (const form of document.querySelectorAll('form.like')) {
  form.addEventListener('submit', async (event) => {
    if (form.dataset.plain === 'yes') return
    event.preventDefault()
    const button = event.submitter
    if (isWaiting(form)) return
    form.dataset.sent = 'yes'
    try {
      takeOver(button, await send(form, button))
    } catch {
      form.dataset.plain = 'yes'
      form.requestSubmit(button)
    }
    delete form.dataset.sent
  })
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form))
  body.set(button.name, button.value)
  const reply = await fetch(form.action, { method: 'POST', body })
  if (!reply.ok) throw new Error(`status ${reply.status}`)
  const page = new DOMParser().parseFromString(await reply.text(), 'text/html')
  return page.querySelector('form.like button')
}

function takeOver(button, fresh) {
  button.value = fresh.value
  button.setAttribute('aria-pressed', fresh.getAttribute('aria-pressed'))
  button.querySelector('.count').textContent = fresh.querySelector('.count').textContent
}

/** Other forms are sent once; coming back to them by the Back button wakes them up. */
for (const form of document.querySelectorAll('form[method=post]:not(.like)')) {
  form.addEventListener('submit', (event) => {
    if (isWaiting(form)) event.preventDefault()
    form.dataset.sent = 'yes'
  })
}
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent
})

function isWaiting(form) {
  return form.dataset.sent === 'yes'
}
