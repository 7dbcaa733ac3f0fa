/**
 * Texts that want to run `canary()` in a page, or to change its elements: what a hostile visitor writes into
 * every field of a site. For the attack in `test/e2e/template-attack.test.ts`.
 */

const IMAGE = '<img src=x onerror=canary()>'
const SCRIPT = '<script>canary()</script>'

/** Elements that would run by themselves. */
const ELEMENTS = [
  IMAGE,
  SCRIPT,
  '<SCRIPT >canary()</SCRIPT >',
  '<script\n>canary()</script\n>',
  '<script/x>canary()</script/x>',
  '<<script>canary()//<</script>',
  '<svg onload=canary()>',
  '<svg/onload=canary()>',
  '<svg><script>canary()</script></svg>',
  '<svg><script>&#99;anary()</script></svg>',
  '<svg><style><img src=x onerror=canary()></style></svg>',
  '<svg><animate onbegin=canary() attributeName=x dur=1s>',
  '<svg><a><animate attributeName=href values=javascript:canary() /><text>a</text></a></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=canary()&gt;">',
  '<math href="javascript:canary()">a</math>',
  '<body onload=canary()>',
  '<iframe srcdoc="<script>parent.canary()</script>"></iframe>',
  '<iframe src=javascript:parent.canary()></iframe>',
  '<object data=javascript:canary()></object>',
  '<embed src=javascript:canary()>',
  '<details open ontoggle=canary()><summary>a</summary></details>',
  '<video><source onerror=canary()></video>',
  '<audio src=x onerror=canary()>',
  '<input autofocus onfocus=canary()>',
  '<style>@import "javascript:canary()"</style>',
  '<style onload=canary()></style>',
  '<link rel=stylesheet href=x onerror=canary()>',
  '<meta http-equiv=refresh content="0;url=javascript:canary()">',
  '<base href="javascript:canary()//">',
  '<form action=javascript:canary()><button autofocus>a</button></form>',
  '<isindex type=image src=x onerror=canary()>',
  '<template shadowrootmode=open><img src=x onerror=canary()></template>',
  '<noscript><p title="</noscript><img src=x onerror=canary()>">',
  '<a href="javascript:canary()">a</a>',
  '<xmp><p title="</xmp><img src=x onerror=canary()>">',
  '<plaintext>',
  '<![CDATA[<img src=x onerror=canary()>]]>',
  '<?xml version="1.0"?><img src=x onerror=canary()>',
  '<!doctype html><img src=x onerror=canary()>',
]

/** What ends the place where the text stands. */
const ENDS = [
  '"',
  "'",
  '`',
  '>',
  '">',
  "'>",
  '` >',
  '/>',
  '-->',
  '--!>',
  '->',
  '--',
  '-',
  '<!--',
  '<!-->',
  '<!--<script>',
  '<!--<script></script>',
  ']]>',
  '</p>',
  '</div>',
  '</textarea>',
  '</TEXTAREA >',
  '</title>',
  '</title/>',
  '</style>',
  '</script>',
  '</script >',
  '</SCRIPT/x>',
  '</noscript>',
  '</template>',
  '</select>',
  '</svg>',
  '</math>',
  '</iframe>',
  '</xmp>',
  '</body></html>',
].flatMap((end) => [end, `${end}${IMAGE}`, `${end}${SCRIPT}`])

/** New attributes. */
const ATTRIBUTES = ['"', "'", '`', '', '\u0000', '\u00a0', '\u2028'].flatMap((quote) => [
  `${quote} onload=canary() onerror=canary() autofocus onfocus=canary() x=${quote}`,
  `${quote}\tonerror=canary()\n${quote}`,
  `${quote}/onerror=canary()/${quote}`,
])

/** Scripts that leave a text in a script. */
const CODE = [
  '";canary();//',
  "';canary();//",
  '`;canary();//',
  '\\";canary();//',
  "\\';canary();//",
  '\\',
  '"-canary()-"',
  "'-canary()-'",
  `\${canary()}`,
  `\`\${canary()}\``,
  '\u2028canary()//',
  '\u2029canary()//',
  '\ncanary()//',
  '*/canary()/*',
  '//',
  '</script><script>canary()</script>',
  '<!--<script>canary()//',
  '{"__proto__":{"x":1}}',
]

/** URLs that run a script, or a page that does. */
const URLS = [
  'javascript:canary()',
  'JaVaScRiPt:canary()',
  'javascript://a%0acanary()',
  'javascript:/*--></title></style></textarea></script><svg/onload=canary()>*/canary()',
  'javascript&colon;canary()',
  'javascript&#58;canary()',
  'javascript&#x3a;canary()',
  '&#106;avascript:canary()',
  'java&Tab;script:canary()',
  'java&NewLine;script:canary()',
  'javascript%3Acanary()',
  'ｊａｖａｓｃｒｉｐｔ:canary()',
  'javascript：canary()',
  '//javascript:canary()',
  '/javascript:canary()',
  'javascript:javascript:canary()',
  'feed:javascript:canary()',
  'view-source:javascript:canary()',
  'vbscript:canary()',
  'livescript:canary()',
  'data:text/html,<script>parent.canary()</script>',
  'data:text/html;base64,PHNjcmlwdD5wYXJlbnQuY2FuYXJ5KCk8L3NjcmlwdD4=',
  'data:text/javascript,canary()',
  'data:application/javascript;base64,Y2FuYXJ5KCk=',
  'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="canary()"/>',
  'data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImNhbmFyeSgpIi8+',
  'data:image/png;base64,"onerror="canary()',
  'data:,canary()',
  'blob:null/javascript',
  'filesystem:javascript:canary()',
  'x 1x, javascript:canary() 2x',
  'javascript:canary() 1x',
  '0;url=javascript:canary()',
  '0;url=data:text/html,<script>canary()</script>',
  'expression(canary())',
  'url(javascript:canary())',
  'red;background:url(javascript:canary())',
]

/** A browser leaves some of these out of a URL, at its beginning or anywhere. */
const CONTROLS = Array.from({ length: 34 }, (_, code) => String.fromCharCode(code))
  .concat('\u007f', '\u00a0', '\u00ad', '\u200b', '\u2028', '\u3000', '\ufeff', '\ud800')
  .flatMap((char) => [
    `${char}javascript:canary()`,
    `java${char}script:canary()`,
    `javascript${char}:canary()`,
    `${char}${IMAGE}`,
  ])

/** What templates are written in is no template in data. */
const TAGS = ['{{{html}}}', '{{#x}}{{/x}}', '{{>page}}', '{{=<% %>=}}', '{{x', '}}', '{{&html}}']

export const PAYLOADS: readonly string[] = [
  ...new Set([...ELEMENTS, ...ENDS, ...ATTRIBUTES, ...CODE, ...URLS, ...TAGS]),
]
/** Those for a URL. */
export const URL_PAYLOADS: readonly string[] = [...new Set([...PAYLOADS, ...CONTROLS])]
/** Those for elements that load a page of their own, which takes a while. */
export const FRAME_PAYLOADS: readonly string[] = [...URLS, IMAGE, SCRIPT, ...CONTROLS.slice(0, 40)]
