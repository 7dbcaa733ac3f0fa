import { include, path, socket, urlconf } from 'uwas'
import { urls } from './urls.ts'
import { echo, form, loopForEver, ticks } from './views/soak.ts'

export const soakUrls = urlconf(
  include('/', urls),
  path('/form', { post: form }, { csrf: false }),
  path('/events', ticks),
  path('/loop', { post: loopForEver }, { csrf: false }),
  socket('/echo', echo),
)
