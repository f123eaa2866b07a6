"""Writes a MaiML document by pymaiml, valid by the schema of JAIMA. `maiml_writer.py FILE`"""

import json
import sys
from datetime import UTC, datetime

import maiml_domain as m
from pymaiml import serialization
from pymaiml.builders import LIFECYCLE_NS, IdFactory, new_complete_event
from pymaiml.validation import validate

ids = IdFactory()
x = [24.0 + 0.05 * i for i in range(41)]
y = [round(500 / (1 + ((v - 25.3) / 0.1) ** 2)) for v in x]


def whole(**more):
    return m.GlobalObjectContent(uuid=ids.new_uuid(), **more)


vendor = m.VendorType(id="v", content=whole())
creator = m.CreatorType(id="c", vendor_refs=[m.VendorRefType(id="vr", ref="v")], content=whole())
owner = m.OwnerType(id="o", content=whole())
document = m.DocumentType(
    id="d",
    date=datetime.now(UTC),
    creators=[creator],
    vendors=[vendor],
    owners=[owner],
    content=whole(),
)
pnml = m.PnmlType(
    id="net",
    places=[m.PlaceType(id="p1"), m.PlaceType(id="p2")],
    transitions=[m.TransitionType(id="t1")],
    arcs=[
        m.ArcType(id="a1", source="p1", target="t1"),
        m.ArcType(id="a2", source="t1", target="p2"),
    ],
    content=whole(),
)
instruction = m.InstructionType(
    id="i", transition_refs=[m.TransitionRefType(id="tr", ref="t1")], content=whole()
)
program = m.ProgramType(
    id="pr",
    instructions=[instruction],
    content=whole(),
    material_templates=[
        m.MaterialTemplateType(
            id="mt", place_refs=[m.PlaceRefType(id="r1", ref="p1")], content=whole()
        )
    ],
    result_templates=[
        m.ResultTemplateType(
            id="rt", place_refs=[m.PlaceRefType(id="r2", ref="p2")], content=whole()
        )
    ],
)
method = m.MethodType(id="me", pnmls=[pnml], programs=[program], content=whole())
protocol = m.ProtocolType(id="pl", methods=[method], content=whole())
result = m.ResultType(
    id="re",
    ref="rt",
    content=whole(
        properties=[m.DoubleType("xrd:wavelength", value=0.15406, units="nm")],
        contents=[
            m.ContentDoubleListType("xrd:two_theta", values=x, axis="X", units="deg"),
            m.ContentIntListType("xrd:intensity", values=y, axis="Y", units="counts"),
        ],
    ),
)
material = m.MaterialType(id="ma", ref="mt", content=whole())
results = m.ResultsType(id="rs", content=whole(), materials=[material], results=[result])
data = m.DataType(id="da", results_list=[results], content=whole())
event = new_complete_event("ev", "i", id_factory=ids)
trace = m.TraceType(id="tc", ref="pr", events=[event], content=whole())
log = m.LogType(id="lo", ref="me", traces=[trace], content=whole())
event_log = m.EventLogType(id="el", logs=[log], content=whole())
root = m.MaimlRootType(document=document, protocol=protocol, data=data, event_log=event_log)
prefixes = {"lifecycle": LIFECYCLE_NS, "xrd": "http://example.org/xrd"}
serialization.dump(root, sys.argv[1], extra_namespaces=prefixes)
checked = validate(sys.argv[1])
said = [str(error) for error in checked.errors]
print(json.dumps({"x": x, "y": y, "is_valid": bool(checked.ok), "said": said}))
