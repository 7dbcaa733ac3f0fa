-- A board with some life on it for the first visit.

insert into posts (submission, author, title, body, created_at) values
(gen_random_uuid(), '마당지기', '이 게시판을 쓰는 법',
'누구나 읽고 쓸 수 있는 작은 게시판입니다. 가입은 없습니다.

· 찾는 물건, 나누는 물건, 함께할 자리를 알려 주세요.
· 읽는 사람을 생각해서 다정하게 써 주세요.
· 오른쪽 위의 단추로 한국어와 영어를 바꿀 수 있습니다.',
now() - interval '16 days'),
(gen_random_uuid(), 'Ines', 'A spare key under the blue pot',
'Whoever lost a small brass key with a red ribbon: it lay on the stairs of the second house. I put it under the blue flower pot next to the well.

Take it whenever you pass.',
now() - interval '13 days 4 hours'),
(gen_random_uuid(), '한결', '모종 나눔합니다 (상추, 깻잎, 방울토마토)',
'베란다에서 키운 모종이 너무 많이 자랐어요. 상추 열두 포기, 깻잎 여덟 포기, 방울토마토 네 포기가 있습니다.

담을 것만 들고 오시면 됩니다. 토요일 오전 내내 집에 있어요.',
now() - interval '11 days 2 hours'),
(gen_random_uuid(), 'Theo', 'Who plays the cello on Tuesdays?',
'Third window from the left, around seven in the evening. Please never stop. My daughter falls asleep to it, and so do I.',
now() - interval '9 days 5 hours'),
(gen_random_uuid(), '보라', '책 모임 첫날을 정해요',
'첫 책은 얇은 것으로 골랐습니다. 다 읽지 않아도 괜찮아요. 차는 제가 끓이겠습니다.

목요일 저녁과 일요일 낮 가운데 어느 때가 좋은지 댓글로 알려 주세요.',
now() - interval '7 days 1 hour'),
(gen_random_uuid(), 'Mara', 'Bicycle pump, free to borrow',
'It hangs on the hook behind the gate, with adapters for every valve I have ever met. Please hang it back; that is the whole contract.',
now() - interval '6 days 3 hours'),
(gen_random_uuid(), '준호', '고양이 “호두”를 찾습니다',
'밤색 고등어 무늬에 왼쪽 귀 끝이 하얗습니다. 겁이 많아서 낯선 사람이 다가가면 숨어요. 보시면 이름을 부르지 말고 댓글로 장소만 알려 주세요.

▸ 마지막으로 본 곳: 감나무 옆 담 위
▸ 좋아하는 것: 구운 김',
now() - interval '4 days 6 hours'),
(gen_random_uuid(), 'Theo', 'Lift broken? Use the bell',
'Until it is repaired on Friday I am at home most of the day. Ring the lower bell and I will carry your shopping up. Fourth floor is my record so far.',
now() - interval '3 days 7 hours'),
(gen_random_uuid(), '수빈', '우산 하나 바꿔 가신 분',
'비 오던 날 빵집 앞 우산꽂이에서 제 우산과 바뀐 것 같아요. 둘 다 남색인데 제 것은 손잡이에 작은 흠이 있습니다.

바꿔 가신 우산도 좋은 우산이라 잘 말려 두었어요. 서두르지 않으셔도 됩니다.',
now() - interval '2 days 2 hours'),
(gen_random_uuid(), 'Ines', 'Sourdough starter looking for a home',
'Her name is Doña Burbuja. She is four years old, eats rye once a week and forgives neglect. Bring a jar with a lid.',
now() - interval '1 day 3 hours'),
(gen_random_uuid(), '한결', '감 따는 날 — 토요일 오후 두 시',
'올해는 감이 많이 열렸습니다. 사다리는 있으니 튼튼한 장갑만 챙겨 오세요. 딴 감은 똑같이 나누고, 까치밥은 꼭 남깁니다.

비가 오면 다음 주로 미룹니다.',
now() - interval '5 hours'),
(gen_random_uuid(), 'Mara', 'Lanterns for the winter evening',
'We want the courtyard full of paper lanterns on the 21st. Hanji, paste and bamboo are in the shed; children teach, grown-ups learn.

Come at four, stay until they glow.',
now() - interval '42 minutes');

insert into comments (submission, post_id, author, body, created_at)
select gen_random_uuid(), posts.id, said.author, said.body, posts.created_at + said.later
from (values
  ('모종 나눔합니다 (상추, 깻잎, 방울토마토)', '보라', '깻잎 두 포기 부탁드려요. 토요일 열 시쯤 들를게요!', interval '1 hour'),
  ('모종 나눔합니다 (상추, 깻잎, 방울토마토)', 'Theo', 'Two tomatoes for us, please. We bring jam in return.', interval '3 hours'),
  ('Who plays the cello on Tuesdays?', '수빈', '저예요. 시끄러울까 봐 걱정했는데 고맙습니다. 이번 주에는 새 곡이에요.', interval '2 hours'),
  ('Who plays the cello on Tuesdays?', 'Theo', 'Then we shall keep the window open.', interval '5 hours'),
  ('책 모임 첫날을 정해요', '한결', '목요일 저녁이 좋습니다. 과자는 제가 맡을게요.', interval '30 minutes'),
  ('고양이 “호두”를 찾습니다', 'Ines', 'A cat like this sat on the bakery roof this morning, looking very proud.', interval '9 hours'),
  ('고양이 “호두”를 찾습니다', '준호', '찾았습니다! 빵집 지붕이 맞았어요. 모두 고맙습니다.', interval '1 day'),
  ('감 따는 날 — 토요일 오후 두 시', '준호', '호두도 데려가도 될까요? 이번에는 줄을 매겠습니다.', interval '1 hour'),
  ('감 따는 날 — 토요일 오후 두 시', '수빈', '장갑 두 켤레 여분 있어요.', interval '2 hours'),
  ('감 따는 날 — 토요일 오후 두 시', 'Mara', 'I bring the long basket.', interval '3 hours')
) as said (title, author, body, later)
join posts on posts.title = said.title
order by posts.id, said.later;

update posts set comment_count = (select count(*) from comments where post_id = posts.id);

insert into likes (post_id, visitor)
select posts.id, gen_random_uuid()
from posts, lateral generate_series(1, (posts.id * 7) % 11 + 1);

update posts set like_count = (select count(*) from likes where post_id = posts.id);
