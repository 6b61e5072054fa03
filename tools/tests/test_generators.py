"""The generators: what they write is what is committed, and --check sees what is not."""

import importlib
import re

import pytest

import generated

NAMES = ["gen_wire", "gen_vectors", "gen_messages_md", "gen_words"]


@pytest.fixture(params=NAMES)
def outputs(request) -> dict[str, str]:
    return importlib.import_module(request.param).outputs()


def test_committed_files_are_what_the_generator_writes(outputs):
    assert generated.run(None, outputs, ["--check"]) == 0


def test_outputs_are_the_same_each_time():
    for name in NAMES:
        module = importlib.import_module(name)
        assert module.outputs() == module.outputs()


def test_written_files_pass_the_check(outputs, tmp_path, capsys):
    root = ["--root", str(tmp_path)]
    assert generated.run(None, outputs, root) == 0
    assert capsys.readouterr().out == "".join(f"wrote {name}\n" for name in outputs)
    assert generated.run(None, outputs, ["--check", *root]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("damage", ["changed", "line ends", "gone"])
def test_check_names_a_stale_file_and_writes_nothing(outputs, tmp_path, capsys, damage):
    root = ["--root", str(tmp_path)]
    generated.run(None, outputs, root)
    name = next(iter(outputs))
    path = tmp_path / name
    if damage == "gone":
        path.unlink()
    elif damage == "changed":
        path.write_text(outputs[name].replace("1", "2", 1))
    else:
        path.write_bytes(outputs[name].replace("\n", "\r\n").encode())
    before = path.read_bytes() if path.exists() else None
    assert generated.run(None, outputs, ["--check", *root]) == 1
    assert (
        capsys.readouterr().err == f"{name} is stale: run `make generate` and commit the result\n"
    )
    assert (path.read_bytes() if path.exists() else None) == before


def test_only_stale_files_are_written(tmp_path):
    outputs = {"kept": "same\n", "stale": "new\n"}
    (tmp_path / "kept").write_text("same\n")
    (tmp_path / "stale").write_text("old\n")
    before = (tmp_path / "kept").stat().st_mtime_ns
    generated.run(None, outputs, ["--root", str(tmp_path)])
    assert (tmp_path / "kept").stat().st_mtime_ns == before
    assert (tmp_path / "stale").read_text() == "new\n"


def test_every_link_of_the_reference_has_its_heading():
    text = importlib.import_module("gen_messages_md").document()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-").replace(",", "") for heading in headings]
    assert len(set(anchors)) == len(anchors)
    links = set(re.findall(r"\]\(#(.*?)\)", text))
    assert links
    assert links <= set(anchors)
