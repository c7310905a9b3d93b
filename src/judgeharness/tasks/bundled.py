"""The built-in tasks. Each is read from its TOML file when it is asked for."""

from __future__ import annotations

from functools import partial

from judgeharness.tasks.definition import read_definition
from judgeharness.tasks.shipped import shipped

nli_sample = partial(read_definition, shipped() / "nli-sample" / "task.toml")
chaosnli = partial(read_definition, shipped() / "chaosnli" / "task.toml")
chaosnli_mnli = partial(read_definition, shipped() / "chaosnli-mnli" / "task.toml")
chaosnli_snli = partial(read_definition, shipped() / "chaosnli-snli" / "task.toml")
varierr = partial(read_definition, shipped() / "varierr" / "task.toml")
varierr_round_2 = partial(read_definition, shipped() / "varierr-round-2" / "task.toml")
snli = partial(read_definition, shipped() / "snli" / "task.toml")
chaosnli_alphanli = partial(read_definition, shipped() / "chaosnli-alphanli" / "task.toml")
