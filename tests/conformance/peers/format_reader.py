"""Reads a file of a diffractometer by other people's readers. `format_reader.py READER FILE`"""

import json
import sys
import warnings

warnings.simplefilter("ignore")


def fairmat(file):
    """FAIRmat's reader, after C. Richter's for IKZ."""
    from fairmat_readers_xrd import readers

    read = {
        "xrdml": readers.read_panalytical_xrdml,
        "rasx": readers.read_rigaku_rasx,
        "brml": readers.read_bruker_brml,
    }[file.rpartition(".")[2]]
    found = read(file)
    return found["2Theta"].magnitude.tolist(), found["intensity"].magnitude.tolist()


def xrayutilities(file):
    """Gives counts per second."""
    from xrayutilities.io import XRDMLFile

    scan = XRDMLFile(file).scan.ddict
    return scan["2Theta"].tolist(), (scan["detector"] * scan["countTime"]).tolist()


def xrdtools(file):
    """Refuses what is not of PANalytical's own schema. Gives counts per second."""
    import xrdtools as reader

    found = reader.read_xrdml(file)
    return found["x"].tolist(), (found["data"] * found["time"]).tolist()


x, y = globals()[sys.argv[1]](sys.argv[2])
print(json.dumps({"x": x, "y": y}))
