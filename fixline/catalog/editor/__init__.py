"""The language of definitions as a JSON Schema (draft 7), for editors that complete and explain.

Owns the written language: the YAML as analysts write it, which differs from the model that it is read into
(a step is keyed by its kind, a length of time is a text, a team a name or a choice by area). Words, limits and
descriptions are the model's own. What a schema cannot say, such as that a step exists, `fixline check` says.
"""

from fixline.catalog.editor.definition import definition_schema

__all__ = ["definition_schema"]
