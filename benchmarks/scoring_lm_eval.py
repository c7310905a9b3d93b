"""The other side of scoring.py: runs inside an environment with lm_eval, and knows nothing of judgeharness.

Asks for the log-likelihood of every letter after every prompt, which is what lm-evaluation-harness does for a
multiple-choice task.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def main(given: str, made: str) -> None:
    """Read the request, ask, and write seconds and log-likelihoods."""
    request = json.loads(Path(given).read_text())
    model = HFLM(
        pretrained=request["model"],
        tokenizer=request["tokenizer"],
        dtype="float32",
        batch_size=request["batch_size"],
        device="cpu",
    )
    pairs = [(text, letter) for text in request["texts"] for letter in request["letters"]]

    def ask(some: list[tuple[str, str]]) -> list[float]:
        instances = [
            Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=index) for index, pair in enumerate(some)
        ]
        return [score for score, _ in model.loglikelihood(instances, disable_tqdm=True)]

    ask(pairs[: len(request["letters"])])
    begun = time.perf_counter()
    scores = ask(pairs)
    seconds = time.perf_counter() - begun
    width = len(request["letters"])
    rows = [scores[index : index + width] for index in range(0, len(scores), width)]
    Path(made).write_text(json.dumps({"seconds": seconds, "logprobs": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
