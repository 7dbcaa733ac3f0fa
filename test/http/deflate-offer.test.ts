import t from 'tap'
import { deflateOffer } from '../../src/http/deflate-offer.ts'

const NAME = 'permessage-deflate'

t.test('an offer is taken whose parameters are kept, in any spelling', async (t) => {
  for (const offer of [
    NAME,
    ` ${NAME} ; client_max_window_bits `,
    `Permessage-Deflate; CLIENT_MAX_WINDOW_BITS="15"; server_no_context_takeover`,
    `x-other; a=b, ${NAME}; client_no_context_takeover`,
    `${NAME}; server_max_window_bits=10, ${NAME}`,
  ]) {
    t.equal(deflateOffer(offer), NAME, offer)
  }
})

t.test('an offer with anything else is declined (RFC 7692 section 7.1)', async (t) => {
  for (const parameters of [
    'server_max_window_bits=15',
    'server_max_window_bits',
    'client_max_window_bits=7',
    'client_max_window_bits=08',
    'client_max_window_bits=',
    'client_no_context_takeover=1',
    'server_no_context_takeover; server_no_context_takeover',
    'unknown',
    '',
  ]) {
    t.equal(deflateOffer(`${NAME}; ${parameters}`), '', parameters)
  }
  for (const offer of ['', ',', 'permessage-deflates', 'x-webkit-deflate-frame']) {
    t.equal(deflateOffer(offer), '', offer)
  }
})
