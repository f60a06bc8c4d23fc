"""The readers behind `library.vocabulary.references`: each tries one kind of number where a word may begin it."""
