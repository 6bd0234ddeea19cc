from sqlalchemy.orm import joinedload

from app.db import session


def read_authors(limit):
    query = session.query(Author).options(joinedload(Author.books))
    authors = query.filter(Author.id <= limit).unique().all()
    return [describe(author) for author in authors]


def describe(author):
    return {"name": author.name, "books": [book.title for book in author.books]}
