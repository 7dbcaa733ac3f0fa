/**
 * What people most often choose, as words: in lower case, without the digits and signs that are hung on before
 * and after, and without the digits that stand for letters. `password-rules.ts` brings a password there first,
 * so that one entry stands for thousands of any list of stolen passwords. Rows of keys, repetitions and
 * numbers are found by rule.
 */
const WORDS = `
  abc abcd abcde admin administrator aaron abcabc access alexander amanda america andrea andrew angel angela
  anthony apple arsenal asd asdasd asdf asdfasdf asdfgh asdfghjk asdfghjkl asdqwe ashley austin awesome azerty
  bailey banana barcelona baseball basketball batman beautiful benjamin biteme blink blowme bond bonnie boston
  brandon brandy brooklyn bubbles buster butterfly buttercup carlos casper changeme charles charlie charlotte
  cheese chelsea chicken chocolate chris christian computer cookie corvette cowboy cowboys crystal dallas daniel
  danielle default diamond dolphin donald dragon eagles einstein elephant elizabeth eminem everton facebook
  falcon family ferrari flower football forever formula freedom friday friends fuckme fuckoff fuckyou gandalf
  garfield george ginger golden golfer google guitar hannah hannover harley hello helloworld hockey holiday
  hottie hunter iceman iloveu iloveyou iloveme internet jackson james jasmine jennifer jessica jesus jonathan
  jordan joseph joshua juventus justin killer kimberly knight lakers letmein letmeinnow liverpool login london
  looking love loveme lovely loveyou lovers maggie manchester marina marlboro martin master matrix matthew maverick
  melissa mercedes merlin michael michelle mickey midnight minecraft miller monkey monster morgan mother mountain
  mustang myspace naruto natasha newyork nicholas nicole ninja nothing oliver orange pass passpass passw password
  passwordpassword passwort pa passcode passme patrick peanut pepper phoenix pikachu player please pokemon
  porsche prince princess purple qazwsx qazwsxedc qwe qweasd qweasdzxc qweqwe qwer qwert qwerty qwertyui
  qwertyuiop qwertz qwqw rabbit rachel rainbow ranger raiders redsox richard robert rockyou ronaldo root samantha
  samsung scooter secret september server service shadow shannon shit silver simple skywalker slipknot snoopy
  soccer sophie spiderman spring starwars steelers steven sticky strong success summer sunflower sunshine super
  superman superstar support swordfish taylor temp temppass test testing testtest thomas thunder tigger tigers
  tinkerbell trustno trustnoone turtle unknown user vanessa veronica victoria victory viking vincent welcome
  welcomehome whatever william winner winston winter wizard xbox yankees yellow zaq zaqwsx zxc zxcv zxcvbn
  zxcvbnm zxczxc iloveyouso ihateyou monkeys princesa tequiero estrella contrasena motdepasse soleil hallo
  geheim sommer schatz passwd liebe frankfurt berlin hamburg bayern dkssud dkssudgktpdy tkfkdgo tkfkdgody
  tkfkd whgdk qlalfqjsgh qwerasdf korea seoul
`

/** Such as begin with a digit, or live of them. */
const WHOLE = `
  1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 1qaz2wsx 1qaz2wsx3edc zaq12wsx zaq1xsw2 a1b2c3d4 a1s2d3f4
  1a2b3c4d 1q2w3e4r! 1qazxsw2 2wsx3edc qaz123wsx r2d2c3po thx1138 trustno1 passw0rd p@ssw0rd pa55word pa55w0rd
  abcd1234 1234abcd 1234qwer qwer1234 asdf1234 123qweasd 123qwe123 123qweasdzxc blink182 ncc1701d access14
`

export const COMMON_WORDS: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/))
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(WHOLE.trim().split(/\s+/))
