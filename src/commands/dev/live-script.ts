/**
 * The script that development adds to pages: follows the server's events. Served as it is by
 * `live.ts`. It sets styles through the object model, since a site's policy may forbid inline ones.
 */

/** Kept small and plain: it runs in whatever browser the developer tests with. */
export const LIVE_SCRIPT = `'use strict'
;(() => {
  const events = new EventSource('/__uwas/live')
  let server
  let overlay
  events.addEventListener('hello', (event) => {
    if (server !== undefined && server !== event.data) location.reload()
    server = event.data
  })
  events.addEventListener('reload', () => location.reload())
  events.addEventListener('restyle', () => {
    for (const link of document.querySelectorAll('link[rel~="stylesheet"]')) {
      const url = new URL(link.href)
      url.searchParams.set('uwas-live', Date.now())
      link.href = url.href
    }
  })
  events.addEventListener('problem', (event) => {
    overlay ??= document.createElement('pre')
    overlay.setAttribute('role', 'alert')
    overlay.textContent = 'uwas dev: the last change does not work yet\\n\\n' + event.data
    overlay.style.cssText =
      'position:fixed;inset:auto 0 0 0;z-index:2147483647;margin:0;padding:16px 20px;' +
      'max-height:70vh;overflow:auto;background:#2a0f12;color:#ffe3e3;border-top:3px solid #ff6b6b;' +
      'font:14px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;text-align:left'
    document.body.append(overlay)
  })
  addEventListener('pagehide', () => events.close())
})()
`
