"""The views as a plain WSGI application over psycopg2: gunicorn without a framework, pages concatenated by hand."""

import json
import os
import random
import threading
from html import escape
from urllib.parse import parse_qs

import psycopg2

PLACE = json.loads(os.environ["BENCH_DATABASE"])
FIELDS = [(name, value) for name, value in json.loads(os.environ["BENCH_FIELDS"])]
HERE = os.path.dirname(os.path.abspath(__file__))

LOCAL = threading.local()
CACHE = {}

WORLD = "select id, randomnumber from world where id = %s"
UPDATE = """
update world set randomnumber = sent.number
from unnest(%s::int[], %s::int[]) as sent (id, number) where world.id = sent.id"""
ARTICLES = "select id, author_id, title, summary from article order by id desc limit 20"
AUTHORS = "select id, name from author where id = any (%s)"

FORTUNES_HEAD = (
    "<!DOCTYPE html><html><head><title>Fortunes</title></head><body><table>"
    "<tr><th>id</th><th>message</th></tr>"
)
FORTUNES_FOOT = "</table></body></html>"
with open(os.path.join(HERE, "templates/layout.html"), encoding="utf-8") as file:
    HEAD, FOOT = (
        file.read()
        .replace("{% block title %}{% endblock %}", "Newest articles")
        .split("{% block main %}{% endblock %}")
    )


def cursor():
    """Of the thread's own connection, which stays."""
    if not hasattr(LOCAL, "cursor"):
        connection = psycopg2.connect(
            host=PLACE["folder"], port=PLACE["port"], user=PLACE["user"], dbname=PLACE["name"]
        )
        connection.autocommit = True
        LOCAL.cursor = connection.cursor()
    return LOCAL.cursor


def rows_of(sql, *values):
    found = cursor()
    found.execute(sql, values)
    return found.fetchall()


def as_json(value):
    return json.dumps(value, separators=(",", ":"))


def random_number():
    return random.randint(1, 10000)


def count_of(environ, name):
    try:
        return min(500, max(1, int(parse_qs(environ["QUERY_STRING"])[name][0])))
    except (KeyError, ValueError):
        return 1


def world(id):
    [(id, number)] = rows_of(WORLD, id)
    return {"id": id, "randomNumber": number}


def queries(environ):
    return as_json([world(random_number()) for _ in range(count_of(environ, "queries"))])


def updates(environ):
    ids = sorted(random.sample(range(1, 10001), count_of(environ, "queries")))
    worlds = [{**world(id), "randomNumber": random_number()} for id in ids]
    cursor().execute(UPDATE, [ids, [one["randomNumber"] for one in worlds]])
    return as_json(worlds)


def cached_world(id):
    if id not in CACHE:
        CACHE[id] = world(id)
    return CACHE[id]


def cached_queries(environ):
    return as_json([cached_world(random_number()) for _ in range(count_of(environ, "count"))])


def fortunes(environ):
    rows = rows_of("select id, message from fortune")
    rows.append((0, "Additional fortune added at request time."))
    rows.sort(key=lambda row: row[1])
    lines = [f"<tr><td>{id}</td><td>{escape(message)}</td></tr>" for id, message in rows]
    return FORTUNES_HEAD + "".join(lines) + FORTUNES_FOOT


def articles(environ):
    rows = rows_of(ARTICLES)
    names = dict(rows_of(AUTHORS, [author for _, author, _, _ in rows]))
    parts = [
        f"""<article>
  <h2><a href="/articles/{id}">{escape(title)}</a></h2>
  <p class="by">by {escape(names[author])}</p>
  <p>{escape(summary)}</p>
</article>
"""
        for id, author, title, summary in rows
    ]
    return HEAD + "".join(parts) + FOOT


VIEWS = {
    "/plaintext": lambda environ: "Hello, World!",
    "/json": lambda environ: as_json({"message": "Hello, World!"}),
    "/db": lambda environ: as_json(world(random_number())),
    "/queries": queries,
    "/updates": updates,
    "/cached-queries": cached_queries,
    "/fortunes": fortunes,
    "/articles": articles,
}


def application(environ, start_response):
    view = VIEWS.get(environ["PATH_INFO"])
    if view is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    body = view(environ).encode()
    start_response("200 OK", [*FIELDS, ("Content-Length", str(len(body)))])
    return [body]
