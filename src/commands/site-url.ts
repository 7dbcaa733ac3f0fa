/** How the URLs of a site's modules tell one load of the site from the next. */

/** Names the load in a module's URL; the modules that it imports inherit it. */
export const LOAD_PARAMETER = 'uwas-load'

const LOAD_NUMBER = new RegExp(`\\?${LOAD_PARAMETER}=\\d+`, 'g')

/** Stacks name a site's modules by URLs that carry the number of the load; nobody needs it. */
export function withoutLoadNumbers(text: string): string {
  return text.replaceAll(LOAD_NUMBER, '')
}
