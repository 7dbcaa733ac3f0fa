"""The views in Django, set for speed as TechEmpower's entry is: no middleware, connections that stay, templates kept."""

import json
import os
import random

from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

PLACE = json.loads(os.environ["BENCH_DATABASE"])
FIELDS = json.loads(os.environ["BENCH_FIELDS"])
HERE = os.path.dirname(os.path.abspath(__file__))

settings.configure(
    DEBUG=False,
    SECRET_KEY="not secret",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[],
    MIDDLEWARE=[],
    USE_TZ=False,
    USE_I18N=False,
    LOGGING_CONFIG=None,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": PLACE["folder"],
            "PORT": PLACE["port"],
            "USER": PLACE["user"],
            "NAME": PLACE["name"],
            "CONN_MAX_AGE": None,
        }
    },
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [os.path.join(HERE, "templates")],
        }
    ],
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "TIMEOUT": None,
            "OPTIONS": {"MAX_ENTRIES": 20000},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
application = get_wsgi_application()


class World(models.Model):
    randomnumber = models.IntegerField()

    class Meta:
        app_label = "bench"
        db_table = "world"
        managed = False

    def as_dict(self):
        return {"id": self.id, "randomNumber": self.randomnumber}


class Fortune(models.Model):
    message = models.TextField()

    class Meta:
        app_label = "bench"
        db_table = "fortune"
        managed = False


class Author(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "bench"
        db_table = "author"
        managed = False


class Article(models.Model):
    author = models.ForeignKey(Author, models.DO_NOTHING)
    title = models.TextField()
    summary = models.TextField()

    class Meta:
        app_label = "bench"
        db_table = "article"
        managed = False


def answer(response):
    for name, value in FIELDS:
        response[name] = value
    response["Content-Length"] = str(len(response.content))
    return response


def as_json(value):
    return answer(HttpResponse(json.dumps(value, separators=(",", ":"))))


def random_number():
    return random.randint(1, 10000)


def count_of(request, name):
    try:
        return min(500, max(1, int(request.GET.get(name, 1))))
    except ValueError:
        return 1


def plaintext(request):
    return answer(HttpResponse("Hello, World!"))


def as_object(request):
    return as_json({"message": "Hello, World!"})


def db(request):
    return as_json(World.objects.get(id=random_number()).as_dict())


def queries(request):
    count = count_of(request, "queries")
    return as_json([World.objects.get(id=random_number()).as_dict() for _ in range(count)])


UPDATE = """
update world set randomnumber = sent.number
from unnest(%s::int[], %s::int[]) as sent (id, number) where world.id = sent.id"""


def updates(request):
    ids = sorted(random.sample(range(1, 10001), count_of(request, "queries")))
    worlds = [World.objects.get(id=id) for id in ids]
    for world in worlds:
        world.randomnumber = random_number()
    with connection.cursor() as cursor:
        cursor.execute(UPDATE, [ids, [world.randomnumber for world in worlds]])
    return as_json([world.as_dict() for world in worlds])


def cached_world(id):
    return cache.get_or_set(f"world:{id}", lambda: World.objects.get(id=id).as_dict())


def cached_queries(request):
    count = count_of(request, "count")
    return as_json([cached_world(random_number()) for _ in range(count)])


def fortunes(request):
    rows = list(Fortune.objects.all())
    rows.append(Fortune(id=0, message="Additional fortune added at request time."))
    rows.sort(key=lambda row: row.message)
    return answer(render(request, "fortunes.html", {"rows": rows}))


def articles(request):
    rows = Article.objects.order_by("-id").prefetch_related("author")[:20]
    return answer(render(request, "articles.html", {"articles": rows}))


urlpatterns = [
    path("plaintext", plaintext),
    path("json", as_object),
    path("db", db),
    path("queries", queries),
    path("updates", updates),
    path("cached-queries", cached_queries),
    path("fortunes", fortunes),
    path("articles", articles),
]
