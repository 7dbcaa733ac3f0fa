/** The board's URL conf. Views and templates take their links from `url`, never from text. */
import { path, socket, urlconf } from 'uwas'
import { LANGUAGE_COOKIE } from './i18n/language.ts'
import { list } from './views/board.ts'
import { flow } from './views/flow.ts'
import { changeLanguage } from './views/language.ts'
import { like } from './views/like.ts'
import { live } from './views/live.ts'
import { post } from './views/post.ts'
import { write } from './views/write.ts'

export const urls = urlconf(
  path('/', list, {
    name: 'list',
    // Half a minute, since it says how old its notes are.
    cached: {
      seconds: 30,
      tags: ['notes'],
      vary: { query: ['page'], languages: ['en', 'ko'], cookies: [LANGUAGE_COOKIE] },
    },
  }),
  path('/write', write, { name: 'write' }),
  path('/posts/<int:id>', post, { name: 'post' }),
  path('/posts/<int:id>/like', { post: like }, { name: 'like' }),
  socket('/posts/<int:id>/live', live, { name: 'live' }),
  path('/language', { post: changeLanguage }, { name: 'language' }),
  path('/flow', flow, { name: 'flow' }),
)

export const url = urls.reverse
