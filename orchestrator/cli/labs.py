"""Commands about labs and installations: schema, resource, doctor."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.finding import resource_find
from orchestrator.cli.frame import JsonOption, RecordOption, StoreOption, guarded, print_json
from orchestrator.cli.trying import resource_try
from orchestrator.cli.wires import wire_table
from orchestrator.errors import Exit, UnknownName

if TYPE_CHECKING:
    from orchestrator.ports.action import ActionSpec, ArgSpec
    from orchestrator.ports.resource import OptionSpec, ResourceKind


def add_to(app: typer.Typer) -> None:
    """Adds this room's commands."""
    app.command()(guarded(schema))
    app.command()(guarded(doctor))
    resource = typer.Typer(help="Kinds of resources, and a lab's own.", no_args_is_help=True)
    resource.command("list")(guarded(resource_list))
    resource.command("show")(guarded(resource_show))
    resource.command("check")(guarded(resource_check))
    resource.command("try")(guarded(resource_try))
    resource.command("find")(guarded(resource_find))
    app.add_typer(resource, name="resource")


def schema(
    what: Annotated[str, typer.Argument(help="campaign | lab | a kind that a file declares")],
    as_json: JsonOption = False,
) -> int:
    """Print a file's JSON Schema, for editors that complete.

    Example: hagane schema campaign > campaign.schema.json
    """
    from orchestrator import plugins
    from orchestrator.files.schema import campaign_schema, declaration_schema, lab_schema

    schemas = {"campaign": campaign_schema, "lab": lab_schema}
    kinds = plugins.installed("resources")
    kind = plugins.resource_kind(what) if what in kinds else None
    if kind is not None and kind.declaration is not None:
        told = declaration_schema(kind)
    elif what in schemas:
        told = schemas[what]()
    else:
        declared = [n for n in sorted(kinds) if plugins.resource_kind(n).declaration is not None]
        raise UnknownName("file with a schema", what, [*schemas, *declared])
    typer.echo(json.dumps(told, indent=2))
    return int(Exit.FINISHED)


def resource_list(as_json: JsonOption = False) -> int:
    """List the kinds of resources that are installed.

    Example: hagane resource list
    """
    from orchestrator import plugins

    kinds = [plugins.resource_kind(name) for name in sorted(plugins.installed("resources"))]
    if as_json:
        print_json(
            [
                {"kind": k.name, "implements": k.implements, "actions": list(k.actions)}
                for k in kinds
            ]
        )
        return int(Exit.FINISHED)
    rows = [(k.name, ", ".join(k.implements) or "-", _first_sentence(k.doc)) for k in kinds]
    wide, wider = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, implements, said in rows:
        typer.echo(f"{name:{wide}}  {implements:{wider}}  {said}".rstrip())
    return int(Exit.FINISHED)


def _first_sentence(doc: str) -> str:
    """Of a docstring, on one line."""
    paragraph = " ".join(doc.partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0]


def resource_show(
    kind: Annotated[str, typer.Argument(help="Kind of resource, a capability, or a lab file.")],
    role: Annotated[str, typer.Argument(help="Role or resource of that lab file.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Show the options and actions of a kind of resource, or of a lab's resource; of a capability,
    what fulfils it.

    Example: hagane resource show alicat
    """
    from orchestrator import plugins

    if not role and kind in plugins.installed("capabilities"):
        return _show_capability(kind, as_json)
    if not role and kind not in (kinds := plugins.installed("resources")):
        known = [*kinds, *plugins.installed("capabilities")]
        raise UnknownName("resource kind or capability that is installed", kind, known)
    found = _kind_in(kind, role) if role else plugins.resource_kind(kind)
    if as_json:
        told = {"kind": found.name, "implements": found.implements, "parts": dict(found.parts)}
        actions = {n: s.__dict__ for n, s in found.actions.items()}
        told["on_hardware"] = found.on_hardware
        print_json(told | {"options": dict(found.options), "actions": actions})
        return int(Exit.FINISHED)
    typer.echo(found.doc + "\n")
    for line in _kind_lines(found):
        typer.echo(line)
    if found.declaration is not None and not role:
        typer.echo(f"declared in a file (`hagane schema {found.name}`), which says its actions")
    for option in found.options.values():
        typer.echo(_option_line(option))
    for line in (line for spec in found.actions.values() for line in _action_lines(spec)):
        typer.echo(line)
    return int(Exit.FINISHED)


def _kind_lines(kind: ResourceKind) -> Iterator[str]:
    if kind.on_hardware and "Tried on hardware:" not in kind.doc:
        yield f"tried on hardware: {kind.on_hardware}"
    if kind.implements:
        yield f"fulfils {', '.join(kind.implements)}"
    for part, capability in kind.parts.items():
        yield f"part {part}: {capability}"


def _show_capability(name: str, as_json: bool) -> int:
    """What a driver that `implements` it must have; its limits may be narrower."""
    from orchestrator import plugins

    actions, cls = plugins.capability(name), plugins.load("capabilities", name)
    if as_json:
        print_json({"capability": name, "actions": {n: s.__dict__ for n, s in actions.items()}})
        return int(Exit.FINISHED)
    typer.echo(f"{inspect.getdoc(cls) or ''}\n\na capability: what fulfils it has")
    for line in (line for spec in actions.values() for line in _action_lines(spec)):
        typer.echo(line)
    return int(Exit.FINISHED)


def _kind_in(lab_file: str, role: str) -> ResourceKind:
    """What is known of a resource of a lab, also of one that a file declares."""
    from orchestrator import plugins
    from orchestrator.runtime.bench import lab_of

    lab = lab_of(lab_file)
    kinds = plugins.kinds_of(lab)
    resource = lab.roles.get(role, role)
    if resource not in kinds:
        raise UnknownName("role or resource of this lab", role, {*lab.roles, *kinds})
    return kinds[resource]


def _option_line(option: OptionSpec) -> str:
    must = "required" if option.required else f"default {option.default}"
    low = "" if option.low is None else f", at least {option.low:g}"
    high = "" if option.high is None else f", at most {option.high:g}"
    sort = f"{option.kind} {option.unit}".rstrip()
    return f"option {option.name}: {sort} ({must}{low}{high})"


def _action_lines(spec: ActionSpec) -> Iterator[str]:
    given = ", ".join(map(_argument, spec.args))
    gives = ", ".join(f"{r.name} [{r.unit}]" if r.unit else r.name for r in spec.results)
    yield f"{spec.effect.value:12} {spec.name}({given})" + (f" -> {gives}" if gives else "")
    for arg in spec.args:
        if arg.slew is not None:
            yield f"{'':12} {arg.name} does not jump: {arg.slew}"


def _argument(arg: ArgSpec) -> str:
    match arg.low, arg.high:
        case None, None:
            limits = ""
        case None, high:
            limits = f"at most {high:g}"
        case low, None:
            limits = f"at least {low:g}"
        case low, high:
            limits = f"{low:g} to {high:g}"
    said = ", ".join(filter(None, (arg.unit, limits, "|".join(arg.choices))))
    return f"{arg.name} [{said}]" if said else arg.name


def resource_check(
    lab: Annotated[str, typer.Argument(help="Lab file.")],
    record: RecordOption = "",
    as_json: JsonOption = False,
) -> int:
    """Connect to every resource of a lab, ask who it is, and disconnect.

    Example: hagane resource check campaigns/niobium_titania/hardware.yaml
    """
    from orchestrator.runtime.doctor import check_resources

    found = check_resources(lab, record)
    if as_json:
        print_json(found)
    else:
        for one in found:
            typer.echo(f"{'ok ' if one.ok else 'BAD'} {one.what}: {one.said}")
        for line in wire_table({one.what: one.wire for one in found if one.wire}):
            typer.echo(line)
    return int(Exit.FINISHED if all(f.ok for f in found) else Exit.ENVIRONMENT)


def doctor(store: StoreOption = None, as_json: JsonOption = False) -> int:
    """Check installation, store, hash chains and ports.

    Example: hagane doctor
    """
    from orchestrator.runtime.doctor import examine

    findings = examine(store)
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            typer.echo(f"{'ok ' if finding.ok else 'BAD'} {finding.what}: {finding.said}")
    return int(Exit.FINISHED if all(f.ok for f in findings) else Exit.ENVIRONMENT)
