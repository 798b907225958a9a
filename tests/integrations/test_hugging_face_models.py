"""Models of `transformers`, tiny and of random weights, with the collators that go with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from sklearn.datasets import load_digits
from tests.integrations.test_hugging_face import arguments, passes
from tokenizers import Tokenizer, models, pre_tokenizers

import tlc
from tlc.integration.hugging_face import (
    LanguageModelMetricsCollector,
    MetricsCollectionCallback,
    Seq2SeqTrainer,
    Trainer,
)
from tlc.metrics import ClassificationMetricsCollector

WORDS = ["[PAD]", "[UNK]", "</s>", "a", "good", "bad", "film", "and", "plot", "very"]
TEXTS = ["good", "a very bad plot", "good and very good", "bad", "a very good film and a bad plot"]
TEXTS = [*TEXTS, "film and film", "a film"]
LABELS = ["bad", "good"]
BATCHES = [slice(0, 3), slice(3, 6), slice(6, 7)]
COUNTS = [3, 3, 1]
SIZES = {"num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture
def tokenizer():
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", eos_token="</s>"
    )


@pytest.fixture
def texts():
    columns = {"text": TEXTS, "label": [int("good" in text) for text in TEXTS]}
    schema = {"label": tlc.schemas.CategoricalLabelSchema(LABELS)}
    return tlc.Table.from_dict(columns, schema, project_name="texts")


def options(folder, kind=transformers.TrainingArguments, **more):
    usual = vars(arguments(str(folder)))
    kept = ("output_dir", "use_cpu", "save_strategy", "disable_tqdm", "eval_strategy")
    sizes = {"per_device_train_batch_size": 2, "per_device_eval_batch_size": 3}
    return kind(report_to=[], num_train_epochs=1, **sizes, **{k: usual[k] for k in kept}, **more)


def columns(run, table, epoch):
    found = run.metrics(table=table)
    kept = found.filter(np.asarray(found["epoch"]) == epoch)
    return {name: kept[name].to_numpy() for name in kept.column_names}


@pytest.mark.parametrize("sampling", ["random", "group_by_length"])
def test_texts_are_classified(texts, tokenizer, tmp_path, sampling):
    """The samples hold a text that the model knows nothing of; the collator renames the label."""
    run = tlc.init("texts")
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "vocab_size": len(WORDS)}
    model = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES, **sizes))
    view = texts.with_transform(lambda sample: sample | dict(tokenizer(sample["text"])))
    trainer = Trainer(
        model,
        options(tmp_path, train_sampling_strategy=sampling),
        train_dataset=view,
        eval_dataset=view,
        processing_class=tokenizer,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        metrics_collectors=[
            ClassificationMetricsCollector(LABELS),
            lambda batch, _: {"length": batch["attention_mask"].sum(1)},
        ],
        metrics_collection_epochs=[0, 1],
    )
    trainer.train()
    wanted = [(split, epoch, len(TEXTS)) for epoch in (0, 1) for split in ("eval", "train")]
    assert sorted(passes(run)) == sorted(wanted)
    found = run.metrics(table=texts, split="eval", join=["text"])
    lengths = [len(text.split()) for text in found["text"].to_pylist()]
    assert found["length"].to_pylist() == lengths
    last = [step["eval_loss"] for step in trainer.state.log_history if "eval_loss" in step][-1]
    assert np.mean(columns(run, texts, 1)["loss"][:7]) == pytest.approx(last, rel=1e-4)


@pytest.fixture
def gpt(tokenizer):
    torch.manual_seed(0)
    sizes = {"n_layer": 1, "n_head": 2, "n_embd": 8, "n_positions": 16, "vocab_size": len(WORDS)}
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id}
    config = transformers.GPT2Config(**sizes, **ends)
    model = transformers.GPT2LMHeadModel(config)
    model.accepts_loss_kwargs = False  # else the trainer's mean counts the first token as well
    return model


def test_texts_are_continued(texts, tokenizer, gpt, tmp_path):
    run = tlc.init("texts")
    view = texts.with_transform(lambda sample: dict(tokenizer(sample["text"])))
    trainer = Trainer(
        gpt,
        options(tmp_path),
        train_dataset=view,
        eval_dataset=view,
        data_collator=transformers.DataCollatorForLanguageModeling(tokenizer, mlm=False),
        metrics_collectors=LanguageModelMetricsCollector(),
    )
    trainer.train()
    told = trainer.evaluate()["eval_loss"]
    found = columns(run, texts, 1)
    sums, counts = found["loss_sum"], found["token_count"]
    assert counts.tolist() == [len(text.split()) - 1 for text in TEXTS] * (len(counts) // 7)
    sums, counts = sums[:7].astype(float), counts[:7]
    means = [sums[part].sum() / counts[part].sum() for part in BATCHES]
    assert np.average(means, weights=COUNTS) == pytest.approx(told, rel=1e-4)
    assert sums == pytest.approx([summed_by_hand(gpt, tokenizer, text) for text in TEXTS], rel=1e-4)
    assert np.isnan(found["loss"]).tolist() == (found["token_count"] == 0).tolist()


def summed_by_hand(model, tokenizer, text):
    ids = torch.tensor(tokenizer(text)["input_ids"])
    with torch.no_grad():
        scores = model.eval()(input_ids=ids[None])["logits"][0].log_softmax(1)
    return -sum(scores[place, word].item() for place, word in enumerate(ids[1:]))


@pytest.mark.parametrize("generate", [True, False])
def test_texts_are_turned_into_others(texts, tokenizer, tmp_path, generate):
    run = tlc.init("texts")
    torch.manual_seed(0)
    sizes = {"d_model": 8, "d_ff": 8, "d_kv": 4, "num_layers": 1, "num_heads": 2}
    tokens = {"vocab_size": len(WORDS), "decoder_start_token_id": 0, "eos_token_id": 2}
    model = transformers.T5ForConditionalGeneration(transformers.T5Config(**sizes, **tokens))

    def pair(sample):
        made = dict(tokenizer(sample["text"]))
        return made | {"labels": made["input_ids"][::-1]}

    lengths = []
    trainer = Seq2SeqTrainer(
        model,
        options(
            tmp_path,
            transformers.Seq2SeqTrainingArguments,
            predict_with_generate=generate,
            generation_max_length=5,
        ),
        train_dataset=texts.with_transform(pair),
        eval_dataset=texts.with_transform(pair),
        processing_class=tokenizer,
        data_collator=transformers.DataCollatorForSeq2Seq(tokenizer, model),
        compute_metrics=lambda told: lengths.append(told.predictions) or {},
        metrics_collectors=LanguageModelMetricsCollector(causal=False),
    )
    trainer.train()
    told = trainer.evaluate()["eval_loss"]
    found = columns(run, texts, 1)
    sums, counts = found["loss_sum"][-7:].astype(float), found["token_count"][-7:]
    assert counts.tolist() == [len(text.split()) for text in TEXTS]
    means = [sums[part].sum() / counts[part].sum() for part in BATCHES]
    assert np.mean(means) == pytest.approx(told, rel=1e-4)  # this trainer averages batches so
    assert isinstance(lengths[-1], np.ndarray) == generate


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.fixture
def images(digits, tmp_path):
    pixels = (digits.images[:24] * 15).astype(np.uint8)
    rows = {"image": list(map(Image.fromarray, pixels)), "label": digits.target[:24].tolist()}
    names = list(map(str, range(10)))
    schema = {"label": tlc.schemas.CategoricalLabelSchema(names)}
    return tlc.Table.from_dict(rows, schema, project_name="images")


@pytest.fixture
def processor():
    return transformers.ViTImageProcessor(size={"height": 8, "width": 8}, do_rescale=True)


@pytest.mark.parametrize("mode", ["trainer", "callback"])
def test_images_are_classified(images, processor, digits, tmp_path, mode):
    run = tlc.init("images")
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "image_size": 8, "patch_size": 4}
    config = transformers.ViTConfig(**SIZES, **sizes, num_labels=10)
    model = transformers.ViTForImageClassification(config)

    def prepared(sample):
        made = processor(sample["image"].convert("RGB"), return_tensors="pt")
        return {"pixel_values": made["pixel_values"][0], "label": sample["label"]}

    view = images.with_transform(prepared)
    collectors = [ClassificationMetricsCollector(), lambda batch, _: {"target": batch["labels"]}]
    data = {"train_dataset": view, "eval_dataset": view, "processing_class": processor}
    if mode == "trainer":
        Trainer(model, options(tmp_path), metrics_collectors=collectors, **data).train()
    else:
        callback = MetricsCollectionCallback(collectors, {"eval": view})
        made = options(tmp_path, bf16=True)
        transformers.Trainer(model, made, callbacks=[callback], **data).train()
    assert passes(run) == [("eval", 1, 24)]
    found = run.metrics(table=images)
    assert found["target"].to_pylist() == digits.target[:24].tolist()
