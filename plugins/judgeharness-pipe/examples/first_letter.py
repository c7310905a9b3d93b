#!/usr/bin/env python3
"""A judge that likes the first letter. Replace what is in the loop with your own."""

import json
import math
import sys

for line in sys.stdin:
    group = json.loads(line)
    scores = []
    for prompt in group["prompts"]:
        rest = 0.4 / (len(prompt["letters"]) - 1)
        scores.append([math.log(0.6 if letter == "A" else rest) for letter in prompt["letters"]])
    print(json.dumps({"uid": group["uid"], "scores": scores}), flush=True)
