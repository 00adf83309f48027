"""What an export says on a terminal is words: it commands nothing."""

from __future__ import annotations

import pytest

from cxlib.__main__ import main


@pytest.mark.parametrize("header", ["customer,start,\x1b]0;x\x07\u202eplan", "kunde,\x1b[2Jseit"])
def test_names_in_an_export_cannot_command_a_terminal(tmp_path, capsys, header):
    (tmp_path / "people.csv").write_text(f"{header}\n{','.join(['2026-01-05'] * (header.count(',') + 1))}\n")
    (tmp_path / "sources.toml").write_text('[tables.customers]\nfiles = "people.csv"\n')
    main(["check", "--sources", str(tmp_path / "sources.toml")])
    said = "".join(capsys.readouterr())
    assert any(sign in said for sign in ("\N{REPLACEMENT CHARACTER}", "<U+001B>"))
    assert not any(letter in said for letter in "\x1b\x07\u202e")
