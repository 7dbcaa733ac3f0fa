/** A URL conf whose views import its `url`. */
import { path, urlconf } from '../../../src/route/urlconf.ts'
// biome-ignore lint/suspicious/noImportCycles: the circle is what this folder tries
import { home, next, post } from './views.ts'

export const urls = urlconf(
  path('/', home, { name: 'home' }),
  path('/posts/<int:id>', { get: post, post: next }, { name: 'post' }),
)
export const url = urls.reverse
