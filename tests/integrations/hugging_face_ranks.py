"""Trainings of two processes: ``torchrun --nproc_per_node=2 hugging_face_ranks.py TABLE FOLDER``.

One never stops. Another stops within its second epoch, and goes on with other objects. A third has
only a callback. The weights of the first two are the same on all ranks.
"""

from __future__ import annotations

import sys

import torch
import transformers
from tests.integrations.test_hugging_face import arguments, number
from tests.integrations.test_hugging_face_epochs import Dropping
from tests.integrations.test_hugging_face_resume import Stop

import tlc
from tlc.integration.hugging_face import MetricsCollectionCallback, Trainer

EPOCHS = [0, 1, 2]
STEPS = 7  # when the state is saved: within the second epoch


def trained(table, folder, *, stop=None, resume=None, collect=True):
    options = {"num_train_epochs": 2, "save_strategy": "steps", "save_steps": STEPS}
    sizes = {"per_device_train_batch_size": 2, "per_device_eval_batch_size": 4}
    made = arguments(folder, **options, **sizes, dataloader_drop_last=True)
    own = {"metrics_collectors": number, "metrics_collection_epochs": EPOCHS} if collect else {}
    model = Dropping()
    data = {"train_dataset": table, "eval_dataset": table}
    trainer = Trainer(model, made, callbacks=[stop] if stop else [], **data, **own)
    try:
        trainer.train(resume_from_checkpoint=resume)
    except RuntimeError:
        assert stop is not None
    return [each.detach().clone() for each in model.parameters()]


def main():
    torch.set_num_threads(1)
    url, folder = sys.argv[1:]
    table = tlc.Table.from_url(url)
    whole = trained(table, f"{folder}/whole", collect=False)
    tlc.init("ranks", "parts", if_exists="reuse")
    trained(table, f"{folder}/parts", stop=Stop(STEPS + 1))
    parts = trained(table, f"{folder}/parts", resume=f"{folder}/parts/checkpoint-{STEPS}")
    assert all(map(torch.equal, whole, parts)), "another course"
    callback = MetricsCollectionCallback(number, {"val": table}, EPOCHS)
    options = arguments(f"{folder}/callback", num_train_epochs=2, eval_strategy="no")
    transformers.Trainer(Dropping(), options, train_dataset=table, callbacks=[callback]).train()


if __name__ == "__main__":
    main()
