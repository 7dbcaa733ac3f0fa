/** The board's URL conf. Views and templates take their links from `url`, never from text. */
import { path, requirePermission, requireUser, socket, urlconf } from 'uwas'
import { LANGUAGE_COOKIE } from './i18n/language.ts'
import { logInView, logOutOf, signUpView } from './views/account.ts'
import { list } from './views/board.ts'
import { edit, hide } from './views/edit.ts'
import { flow } from './views/flow.ts'
import { changeLanguage } from './views/language.ts'
import { like } from './views/like.ts'
import { live } from './views/live.ts'
import { points } from './views/points.ts'
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
  path('/posts/<int:id>/edit', edit, { name: 'edit', middleware: [requireUser()] }),
  path(
    '/posts/<int:id>/hide',
    { post: hide },
    { name: 'hide', middleware: [requirePermission('posts.hide')] },
  ),
  path('/sign-up', signUpView, { name: 'sign-up' }),
  path('/log-in', logInView, { name: 'log-in' }),
  path('/log-out', { post: logOutOf }, { name: 'log-out' }),
  path('/points', points, { name: 'points', middleware: [requireUser()] }),
  socket('/posts/<int:id>/live', live, { name: 'live' }),
  // Its form stands on the list too, which is the same for everybody.
  path('/language', { post: changeLanguage }, { name: 'language', csrf: 'fetchMetadata' }),
  path('/flow', flow, { name: 'flow' }),
)

export const url = urls.reverse
