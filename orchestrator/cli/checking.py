"""The command check: every mistake of a campaign at once, and what is to be known of its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from orchestrator.cli.frame import (
    CampaignArgument,
    JsonOption,
    LabOption,
    StoreOption,
    print_json,
)
from orchestrator.errors import Exit

if TYPE_CHECKING:
    from orchestrator.model.campaign import Campaign
    from orchestrator.model.space import Pool
    from orchestrator.model.transfer import Source
    from orchestrator.runtime.load import Loaded

N_SET_ASIDE = 20
"""Rows that are named on the terminal."""
COLUMNS_SHOWN = 6
"""Columns of a pool that are named there."""
WITH_CHIRALITY = ("morgan", "polymer-morgan")
"""Descriptors that can tell stereoisomers apart."""
STEREO = "@/\\"
"""What a SMILES writes them with."""


def check(
    campaign: CampaignArgument,
    lab: LabOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check a campaign and its lab file; no device is opened.

    Campaigns that it would learn from are looked for in the store.

    Example: hagane check campaigns/niobium_titania --lab hardware.yaml
    """
    from orchestrator.model.candidates import told_alike
    from orchestrator.model.space import Pool
    from orchestrator.runtime.load import known_words, load_perhaps_without_lab
    from orchestrator.runtime.sources import told_of_others

    study, loaded = load_perhaps_without_lab(campaign, lab)
    bound = loaded.lab.name if loaded is not None else ""
    remarks = loaded.remarks if loaded is not None else known_words(study)
    tried = _tried_on_hardware(loaded) if loaded is not None else {}
    pools = [p for p in study.space.parameters if isinstance(p, Pool)]
    alike = {pool.name: found for pool in pools if (found := told_alike(pool))}
    others = told_of_others(study, store)
    if as_json:
        told = {"campaign": study.name, "lab": bound or None, "file_hash": study.file_hash}
        aside = {p.name: p.set_aside for p in pools if p.set_aside}
        left = {source.name: source.left_out for source in study.sources if source.left_out}
        beside: dict[str, Any] = {
            "set_aside": aside,
            "left_out": left,
            "alike": alike,
            "others": others,
        }
        beside |= {"remarks": remarks, "on_hardware": tried}
        print_json({"ok": True, **told, **beside})
    else:
        notes = [f"tried on hardware: {said} ({', '.join(who)})" for said, who in tried.items()]
        notes += [f"remark: {remark}" for remark in remarks]
        _tell(study, bound, notes, pools, alike)
        for sentence in others:
            typer.echo(sentence)
    return int(Exit.FINISHED)


def _tried_on_hardware(loaded: Loaded) -> dict[str, list[str]]:
    """The resources of a lab without twins, by what their drivers say of hardware."""
    found: dict[str, list[str]] = {}
    for name, kind in loaded.kinds.items() if loaded.lab.twins is None else ():
        if kind.on_hardware:
            found.setdefault(kind.on_hardware, []).append(name)
    return found


def _so_many(n: int, thing: str) -> str:
    return f"{n} {thing}{'s' * (n != 1)}"


def _tell(
    study: Campaign,
    bound: str,
    notes: Sequence[str],
    pools: Sequence[Pool],
    alike: Mapping[str, Sequence[Sequence[str]]],
) -> None:
    from orchestrator.model.candidates import outcome_words

    place = f"on lab '{bound}'" if bound else "for tables (hagane propose, hagane replay)"
    typer.echo(
        f"{study.name} is right: {_so_many(len(study.space.parameters), 'parameter')}, "
        f"{_so_many(len(study.recipe), 'step')}, {_so_many(len(study.metrics), 'metric')}, "
        f"{_so_many(study.budget.trials, 'trial')}, {place}"
    )
    for note in notes:
        typer.echo(note)
    for pool in pools:
        if pool.set_aside:
            _tell_set_aside(pool)
        _tell_columns(pool)
        if words := outcome_words(pool, [metric.name for metric in study.metrics]):
            typer.echo(words)
    for source in study.sources:
        _tell_source(source)
    for pool in pools:
        if pool.name in alike:
            _tell_alike(pool, alike[pool.name])


def _tell_columns(pool: Pool) -> None:
    """Names the columns that describe the candidates, or the first of them: which these are was
    perhaps not said, and one may be an outcome or a number of the rows. Nothing of a choice."""
    if not (pool.columns and pool.source):
        return
    shown = ", ".join(f"'{column}'" for column in pool.columns[:COLUMNS_SHOWN])
    more = len(pool.columns) - COLUMNS_SHOWN
    left = f" and {more} more" if more > 0 else ""
    typer.echo(f"{pool.name}: {len(pool.names)} candidates, described by {shown}{left}")


def _tell_set_aside(pool: Pool) -> None:
    """Names the rows of a pool's table that are no candidates, or the first of them."""
    aside = pool.set_aside
    rows = "1 row is" if len(aside) == 1 else f"{len(aside)} rows are"
    typer.echo(f"{pool.name}: {len(pool.names)} candidates; {rows} set aside:")
    _tell_rows(pool.source, aside)


def _tell_source(source: Source) -> None:
    """Names the rows of a source's table that are no values, or the first of them, and counts those
    that repeat a material; says where not all values are learnt from. Nothing where all is well."""
    from orchestrator.model.transfer import MOST_VALUES

    left_out = [row for row in source.left_out if not row.same_as]
    n_repeats = len(source.left_out) - len(left_out)
    n, most = len(source.values), MOST_VALUES[source.model]
    told = f"{source.name}: {n} values"
    if n > most:
        told += f", of which {most} are drawn and learnt from"
        if source.materials is not None:
            told += ", those first whose materials are most like the candidates"
    if n_repeats:
        rows = "1 row repeats" if n_repeats == 1 else f"{n_repeats} rows repeat"
        told += f"; {rows} a material, and the mean is taken"
    if left_out:
        told += f"; {'1 row is' if len(left_out) == 1 else f'{len(left_out)} rows are'} left out:"
    if source.left_out or n > most:
        typer.echo(told)
    _tell_rows(source.table, left_out)


def _tell_alike(pool: Pool, groups: Sequence[Sequence[str]]) -> None:
    """Names two candidates that are (nearly) one to the model, and says how many such there are."""
    n = sum(map(len, groups))
    one, other = groups[0][:2]
    typer.echo(
        f"{pool.name}: {n} of {len(pool.names)} candidates are described as another one is, and "
        f"the model expects next to the same of them: '{one}' and '{other}'"
        + (" ..." if n > 2 else "")
    )
    hint = _stereo_hint(pool, groups)
    if hint:
        typer.echo(f"  {hint}")


def _stereo_hint(pool: Pool, groups: Sequence[Sequence[str]]) -> str:
    """What tells stereoisomers apart, where some of the groups are such."""
    from orchestrator.model.candidates import material_of

    if len(pool.described) != 1 or pool.described[0].descriptor not in WITH_CHIRALITY:
        return ""
    (said,) = pool.described
    texts = [material_of(pool, name) for names in groups for name in names]
    if said.options.get("chirality") or not any(set(STEREO) & set(text) for text in texts):
        return ""
    options = ", ".join(f"{k}: {v}" for k, v in {**said.options, "chirality": "true"}.items())
    return f"stereoisomers are two with descriptor: {{{said.descriptor}: {{{options}}}}}"


def _tell_rows(file: str, rows: Sequence[Any]) -> None:
    for row in rows[:N_SET_ASIDE]:
        at = f"{file.rstrip('/')}/{row.place}" if row.place else f"{file}:{row.line}"
        typer.echo(f"  {at}: {row.why}")
    if len(rows) > N_SET_ASIDE:
        typer.echo(f"  and {len(rows) - N_SET_ASIDE} more (--json tells all)")
