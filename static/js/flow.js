/** Measures afresh: fetches a page and a file as the browser would, then shows this page anew. */

const form = document.querySelector('form.measure')

form?.addEventListener('submit', async (event) => {
  event.preventDefault()
  const button = form.querySelector('button')
  button.disabled = true
  try {
    for (const address of form.dataset.fetch.split(' ')) {
      const reply = await fetch(address, { cache: 'reload' })
      await reply.arrayBuffer()
    }
  } finally {
    location.reload()
  }
})
