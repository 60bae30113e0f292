"""BM25 over the staged skills with statistics of the background vocabulary in place of their own.

bm25s takes rarity and average length from the documents that it indexes; here they come from outside, so a document
scores the same whatever stands beside it. The term scores are those of bm25s (Lucene's variant: Kamphuis et al., "Which
BM25 do you mean?", ECIR 2020), as is the look-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from selftune_build.agents.embedded.vocabulary import background, rarity

_SATURATION = 1.5
_LENGTH_SHARE = 0.75


class Index(Struct, frozen=True):
    """Documents ready to be scored."""

    documents: int
    engine: Any
    """A `bm25s.BM25`; None where no document has a word."""

    def scores(self, query: Sequence[str]) -> list[float]:
        """The BM25 score of every document, in their order; each word of the query should be there once."""
        known = [] if self.engine is None else [word for word in query if word in self.engine.vocab_dict]
        if not known:
            return [0.0] * self.documents
        found: list[float] = self.engine.get_scores(known).tolist()
        return found


def build_index(documents: Sequence[Sequence[str]]) -> Index:
    """An index of documents given as stems."""
    vocabulary = {word: number for number, word in enumerate(sorted({word for document in documents for word in document}))}
    if not vocabulary:
        return Index(len(documents), None)
    import bm25s

    engine = bm25s.BM25(k1=_SATURATION, b=_LENGTH_SHARE, method="lucene", dtype="float64")
    engine.vocab_dict = vocabulary
    engine.nonoccurrence_array = None
    engine.scores = _matrix(documents, vocabulary)
    return Index(len(documents), engine)


def _matrix(documents: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> dict[str, Any]:
    """The score of every word in every document, sorted by word: the form in which bm25s looks them up."""
    import numpy
    from bm25s.scoring import _build_scores_and_indices_for_matrix as score_terms

    numbered = [[vocabulary[word] for word in document] for document in documents]
    scores, rows, columns = score_terms(
        corpus_token_ids=numbered,
        idf_array=numpy.array([rarity(word) for word in vocabulary]),
        avg_doc_len=background().words_per_document,
        doc_frequencies={number: sum(number in document for document in map(set, numbered)) for number in vocabulary.values()},
        k1=_SATURATION,
        b=_LENGTH_SHARE,
        delta=0.0,
        nonoccurrence_array=None,
        method="lucene",
        dtype="float64",
        show_progress=False,
    )
    order = numpy.lexsort((rows, columns))
    starts = numpy.searchsorted(columns[order], numpy.arange(len(vocabulary) + 1))
    return {"data": scores[order], "indices": rows[order], "indptr": starts, "num_docs": len(documents)}
