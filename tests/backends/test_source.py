import pytest

from judgeharness.backends.source import ModelSource, find_source, fingerprint, gguf_parts, sampled_digest
from judgeharness.domain.errors import InputError
from judgeharness.domain.hashes import file_digest


def test_parts_of_a_split_file():
    assert gguf_parts("m.gguf") == ["m.gguf"]
    assert gguf_parts("a-00001-of-00003.gguf") == [f"a-0000{part}-of-00003.gguf" for part in (1, 2, 3)]
    assert gguf_parts("a-00002-of-00003.gguf") == ["a-00002-of-00003.gguf"]


def test_a_split_file_is_known_by_all_its_parts(tmp_path):
    paths = [tmp_path / name for name in gguf_parts("a-00001-of-00002.gguf")]
    paths[0].write_bytes(b"GGUF1")
    with pytest.raises(InputError, match=r"its part a-00002-of-00002\.gguf is not beside it"):
        find_source(str(paths[0]), "llamacpp")
    found = set()
    for content in (b"x", b"y"):
        paths[1].write_bytes(content)
        source = find_source(str(paths[0]), "llamacpp")
        found.add(fingerprint(source))
    assert len(found) == 2


def test_names_and_what_they_stand_for(tmp_path):
    assert find_source("owner/name", "hf") == ModelSource("hub", "owner/name")
    assert find_source("owner/name/m.gguf", "llamacpp") == ModelSource("hub", "owner/name", file="m.gguf")
    assert find_source("llama3", "hf").kind == "hub"
    assert find_source(str(tmp_path), "hf").kind == "folder"
    for model in ("", "./no.gguf", "a/b/c/d", "no.gguf"):
        with pytest.raises(InputError, match="hf:"):
            find_source(model, "hf")


def test_large_files_are_known_by_samples(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * 20_000)
    assert sampled_digest(path) == file_digest(path)
    sampled = sampled_digest(path, whole_below=1000, samples=4)
    assert sampled != file_digest(path)
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    assert sampled_digest(path, whole_below=1000, samples=4) != sampled
