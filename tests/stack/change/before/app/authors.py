from app.db import session


def read_authors(limit):
    authors = session.query(Author).filter(Author.id <= limit).all()
    return [describe(author) for author in authors]


def describe(author):
    return {"name": author.name, "books": [book.title for book in author.books]}
