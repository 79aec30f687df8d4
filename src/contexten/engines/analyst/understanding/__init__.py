"""Understanding a prompt without a model, from its text to questions: `prompt` splits, `clause` reads one part.

A clause's literals (names, paths, quotations) are taken out first, the words that are left are matched with a table of
`wordings`, and what they speak of is looked up in the code: a plain word is a name only when the code knows it, or when it
stands where nothing but a name can and is no ordinary word.
"""
