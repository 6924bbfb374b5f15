"""What the chapters of the book share: data, models, training, measures, pictures, sentences.

Modules import downwards only: ``plots`` and ``evaluation`` know nothing of data files, and nothing here imports a chapter.
Importing the package itself loads nothing heavy.
"""
