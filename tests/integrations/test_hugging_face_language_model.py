"""Losses, token counts and perplexities of rows of tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.modeling_outputs import CausalLMOutput

import tlc
from tlc.errors import CollectorError
from tlc.integration.hugging_face import LanguageModelMetricsCollector, language_model
from tlc.metrics import PredictorOutput

WORDS = 5


def collected(logits, labels, *, causal=True, form=lambda logits: {"logits": logits}):
    collector = LanguageModelMetricsCollector(causal)
    return collector({"labels": labels}, PredictorOutput(form(logits)))


def by_hand(logits, labels, causal):
    """Return loss and number of tokens of a row, one token at a time."""
    total, count = 0.0, 0
    for place, label in enumerate(labels):
        before = place - causal
        if label == -100 or before < 0:
            continue
        scores = np.exp(logits[before].astype(float))
        total -= math.log(scores[label] / scores.sum())
        count += 1
    return total, count


rows = st.lists(
    st.lists(st.sampled_from([-100, *range(WORDS)]), min_size=4, max_size=4), min_size=1, max_size=6
)


@given(rows, st.booleans(), st.sampled_from([1, 3, 1000]))
def test_values_are_those_of_each_token_by_hand(labels, causal, tokens_at_a_time):
    logits = torch.randn(len(labels), 4, WORDS, generator=torch.Generator().manual_seed(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_model, "_PIECE", tokens_at_a_time * WORDS)
        found = collected(logits, torch.tensor(labels), causal=causal)
    wanted = [by_hand(each.numpy(), row, causal) for each, row in zip(logits, labels, strict=True)]
    assert found["token_count"].tolist() == [count for _, count in wanted]
    assert found["loss_sum"] == pytest.approx([total for total, _ in wanted], rel=1e-4)
    means = [total / count if count else math.nan for total, count in wanted]
    assert found["loss"] == pytest.approx(means, rel=1e-4, nan_ok=True)
    assert found["perplexity"] == pytest.approx(np.exp(means), rel=1e-4, nan_ok=True)


@pytest.mark.parametrize(
    "form",
    [
        lambda logits: CausalLMOutput(logits=logits),
        lambda logits: (torch.tensor(0.0), logits),
        lambda logits: logits,
        lambda logits: {"loss": torch.tensor(0.0), "logits": logits},
    ],
)
def test_logits_are_found_in_what_models_return(form):
    labels = torch.tensor([[0, 1, 2]])
    found = collected(torch.zeros(1, 3, WORDS), labels, form=form)
    assert found["loss"] == pytest.approx([math.log(WORDS)])
    assert found["loss_sum"] == pytest.approx([2 * math.log(WORDS)])


def test_a_perplexity_beyond_all_numbers_is_infinite():
    logits = torch.tensor([[[0.0, 1e4], [0.0, 0.0]]])
    found = collected(logits, torch.tensor([[1, 0]]))
    assert found["perplexity"].tolist() == [math.inf]


@pytest.mark.parametrize(
    ("logits", "batch", "message"),
    [
        (torch.zeros(2, 3), {"labels": torch.zeros(2)}, "are missing|of shape"),
        (torch.zeros(2, 3, 4), {"input_ids": torch.zeros(2, 3)}, "no labels"),
        (torch.zeros(2, 3, 4), {"labels": torch.zeros(2, 5)}, r"\(2, 5\).*\(2, 3, 4\)"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_told(logits, batch, message):
    with pytest.raises(CollectorError, match=message):
        LanguageModelMetricsCollector()(batch, PredictorOutput({"logits": logits}))


def test_aggregates_are_means_over_rows_and_the_perplexity_of_all_tokens():
    """Two rows in two batches, of 1 and 3 tokens, with losses of 4 and 0 per token."""
    table = tlc.Table.from_dict({"n": [0, 1]}, project_name="words")
    run = tlc.init("words")
    collector = LanguageModelMetricsCollector(causal=False)
    sure = torch.log(torch.tensor([1.0, 1e-30]))
    unsure = torch.log_softmax(torch.tensor([math.log(math.exp(-4)), math.log1p(-math.exp(-4))]), 0)

    def predict(batch):
        labels = [[0, -100, -100] if n == 0 else [0, 0, 0] for n in batch["n"].tolist()]
        scores = [[unsure if n == 0 else sure] * 3 for n in batch["n"].tolist()]
        batch["labels"] = torch.tensor(labels)
        return {"logits": torch.stack([torch.stack(row) for row in scores])}

    tlc.collect_metrics(
        table, collector, predict, run_url=run, split="val", dataloader_args={"batch_size": 1}
    )
    (told,) = run.constants["outputs"]
    wanted = {"loss_avg": 2.0, "loss_sum_avg": 2.0, "token_count_avg": 2.0}
    wanted |= {"corpus_perplexity": math.e}
    assert told == pytest.approx({f"val_{name}": value for name, value in wanted.items()}, rel=1e-4)


def test_logits_of_half_precision_are_not_copied_whole():
    """torch's own memory is not Python's, so what it allocates is seen by its profiler."""
    logits = torch.zeros(64, 128, 4000, dtype=torch.bfloat16)
    labels = torch.zeros(64, 128, dtype=torch.long)
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        found = collected(logits, labels)
    most = max(event.cpu_memory_usage for event in profile.events())
    assert found["loss"] == pytest.approx([math.log(4000)] * 64)
    assert most <= 4 * language_model._PIECE < logits.numel() * 4 / 3
