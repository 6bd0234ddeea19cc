-- A book is looked up by its author.
CREATE INDEX ix_book_author_id ON book(author_id);
