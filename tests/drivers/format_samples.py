"""Files of instruments, written here by the public structure of their formats.

No file of a real instrument was at hand: readers of other people are held against the same files
in tests/conformance/test_format_peers.py.
"""

from __future__ import annotations

import io
import zipfile

TWO_THETA = [24.0 + 0.05 * i for i in range(41)]
COUNTS = [10.0 + 500.0 / (1 + ((x - 25.3) / 0.1) ** 2) // 1 for x in TWO_THETA]


def xrdml(
    counts: list[float] | None = None,
    *,
    tag: str = "intensities",
    factors: str = "",
    positions: str = "ends",
    status: str = "Completed",
    n_scans: int = 1,
) -> bytes:
    """An XRDML file of version 1.5."""
    values = counts or COUNTS
    n = len(values)
    first, last = TWO_THETA[0], TWO_THETA[n - 1]
    ends = (
        f"<startPosition>{first}</startPosition><endPosition>{last}</endPosition>"
        if positions == "ends"
        else f"<listPositions>{' '.join(map(str, TWO_THETA[:n]))}</listPositions>"
    )
    attenuation = "<commonBeamAttenuationFactor>1.00</commonBeamAttenuationFactor>"
    if factors:
        attenuation = f"<beamAttenuationFactors>{factors}</beamAttenuationFactors>"
    scan = f"""
  <scan appendNumber="0" mode="Continuous" scanAxis="Gonio" status="{status}">
   <header>
    <startTimeStamp>2026-11-26T10:00:00+09:00</startTimeStamp>
    <endTimeStamp>2026-11-26T10:00:21+09:00</endTimeStamp>
    <author><name>anybody</name></author>
    <source><applicationSoftware version="1.0">nothing</applicationSoftware></source>
   </header>
   <dataPoints>
    <positions axis="2Theta" unit="deg">{ends}</positions>
    <positions axis="Omega" unit="deg"><commonPosition>12.0</commonPosition></positions>
    {attenuation}
    <commonCountingTime unit="seconds">0.5</commonCountingTime>
    <{tag} unit="counts">{" ".join(f"{c:g}" for c in values)}</{tag}>
   </dataPoints>
  </scan>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed">
 <sample type="To be analyzed"><id>films-1</id><name>films-1</name></sample>
 <xrdMeasurement measurementType="Scan" status="Completed" sampleMode="Reflection">
  <usedWavelength intended="K-Alpha 1">
   <kAlpha1 unit="Angstrom">1.5405980</kAlpha1><kAlpha2 unit="Angstrom">1.5444260</kAlpha2>
   <kBeta unit="Angstrom">1.3922500</kBeta>
   <ratioKAlpha2KAlpha1>0.5000</ratioKAlpha2KAlpha1>
  </usedWavelength>{scan * n_scans}
 </xrdMeasurement>
</xrdMeasurements>
""".encode()


CONDITIONS = """<?xml version="1.0" encoding="utf-8"?>
<MeasurementConditions>
 <Axes><Axis Name="Omega" Unit="deg" Offset="0" Position="12"/></Axes>
 <RASHeader><Pair><Name>*MEAS_COND_AXIS_NAME-0</Name><Value>Omega</Value></Pair></RASHeader>
 <GeneralInformation><Type>RAS_DATA</Type></GeneralInformation>
 <ScanInformation>
  <AxisName>TwoThetaTheta</AxisName><Mode>Continuous</Mode>
  <Start>24</Start><Stop>26</Stop><Step>0.05</Step><Speed>2</Speed>
  <SpeedUnit>deg/min</SpeedUnit><PositionUnit>deg</PositionUnit>
  <IntensityUnit>counts</IntensityUnit><StartTime>2026-11-26T10:00:00Z</StartTime>
 </ScanInformation>
 <HWConfigurations>
  <Categories><Category Name="Detector" SelectedUnit="SC-70"/></Categories>
  <Optics/><Distances/>
  <XrayGenerator><TargetName>Cu</TargetName><WavelengthKalpha1>1.540593</WavelengthKalpha1>
  </XrayGenerator>
 </HWConfigurations>
</MeasurementConditions>
"""


def rasx(*, factor: str = "1", n_scans: int = 1) -> bytes:
    """A RASX file: a byte order mark, then lines of position, intensity and attenuator factor."""
    rows = "\r\n".join(f"{x:.4f}\t{c:g}\t{factor}" for x, c in zip(TWO_THETA, COUNTS, strict=True))
    members = {"root.xml": "<root/>"}
    for i in range(n_scans):
        members[f"Data{i}/Profile{i}.txt"] = "\ufeff" + rows + "\r\n"
        members[f"Data{i}/MesurementConditions{i}.xml"] = CONDITIONS
    return zipped(members)


def brml(
    *, last: int = 41, extra_field: bool = True, n_scans: int = 1, absorber: str = "1"
) -> bytes:
    """A BRML file of a point detector; with a field more than usual, so that places count."""
    more = ",0.125" if extra_field else ""
    data = "\n".join(
        f"<Datum>0.5,{absorber},{x:.4f},{x / 2:.4f}{more},{c:g}</Datum>"
        for x, c in zip(TWO_THETA[:last], COUNTS[:last], strict=True)
    )
    varying = "".join(
        f'<FieldDefinitions FieldName="{name}" AxisId="{name}"/>'
        for name in ("TwoTheta", "Theta", *(["Chi"] if extra_field else []))
    )
    n = 3 if extra_field else 2
    axis = (
        '<ScanAxisInfo AxisId="{0}" AxisName="{0}"><Unit Base="Degree"/>'
        "<Reference>0</Reference><Start>{1}</Start><Stop>{2}</Stop><Increment>{3}</Increment>"
        "</ScanAxisInfo>"
    )
    raw = f"""<?xml version="1.0" encoding="utf-8"?>
<RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <TimeStampStarted>2026-11-26T10:00:00</TimeStampStarted>
 <DataRoutes><DataRoute RouteFlag="Measured">
  <ScanInformation ScanName="LockedCoupled">
   <MeasurementPoints>41</MeasurementPoints><TimePerStep>0.5</TimePerStep>
   <TimePerStepEffective>0.5</TimePerStepEffective><ScanMode>StepScan</ScanMode>
   <ScanAxes>{axis.format("TwoTheta", 24.0, 26.0, 0.05)}{axis.format("Theta", 12.0, 13.0, 0.025)}
   </ScanAxes>
  </ScanInformation>
  {data}
  <DataViews>
   <RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime"/>
   <RawDataView xsi:type="FixedRawDataView" Start="1" Length="1" LogicName="AbsorptionFactor"/>
   <RawDataView xsi:type="VaryingRawDataView" Start="2" Length="{n}">
    <Varying>{varying}</Varying></RawDataView>
   <RawDataView xsi:type="RecordedRawDataView" Start="{2 + n}" Length="1">
    <Recording LogicName="Counter0D"/></RawDataView>
  </DataViews>
 </DataRoute></DataRoutes>
 <FixedInformation><Drives>
  <InfoData LogicName="Phi"><Position Value="0" Unit="Degree"/></InfoData>
 </Drives></FixedInformation>
</RawData>
"""
    names = [f"Experiment0/RawData{i}.xml" for i in range(n_scans)]
    listed = "".join(f"<string>{name}</string>" for name in names)
    container = f"<RawDataReferenceList>{listed}</RawDataReferenceList>"
    return zipped(
        {"Experiment0/DataContainer.xml": f"<DataContainer>{container}</DataContainer>"}
        | dict.fromkeys(names, raw)
    )


def maiml(*, scale: str = "", n_results: int = 1, values: str = "") -> bytes:
    """A MaiML document, of its data alone."""
    xs = " ".join(f"{x:.4f}" for x in TWO_THETA)
    ys = values or " ".join(f"{c:g}" for c in COUNTS)
    result = f"""
  <result id="r1" ref="t1"><uuid>1b4e28ba-2fa1-11d2-883f-0016d3cca427</uuid>
   <property xsi:type="doubleType" key="xrd:wavelength" units="nm"><value>0.15406</value></property>
   <property xsi:type="propertyListType" key="xrd:scan">
    <content xsi:type="contentDoubleListType" key="xrd:two_theta" axis="X" units="deg">
     <value>{xs}</value></content>
    <content xsi:type="contentDoubleListType" key="xrd:intensity" axis="Y" units="counts"{scale}>
     <value>{ys}</value></content>
   </property>
  </result>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<maiml version="1.0" xmlns="http://www.maiml.org/schemas" xsi:type="maimlRootType"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xrd="http://example.org/xrd">
 <document id="d"/><protocol id="p"/>
 <data id="data1"><results id="rs1">{result * n_results}
 </results></data>
</maiml>
""".encode()


def nexus(*, by_attributes: bool = True, n_axes: int = 1) -> bytes:
    """A NeXus file; of the newer way, or of that with attributes of the fields."""
    import h5py
    import numpy as np

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["title"] = "films-1"
        data = entry.create_group("data")
        data.attrs["NX_class"] = "NXdata"
        shape = (41,) if n_axes == 1 else (41, 1)
        data["counts"] = np.array(COUNTS).reshape(shape)
        data["counts"].attrs["units"] = "counts"
        data["two_theta"] = np.array(TWO_THETA)
        data["two_theta"].attrs["units"] = "degrees"
        if by_attributes:
            file.attrs["default"], entry.attrs["default"] = "entry", "data"
            data.attrs["signal"] = "counts"
            data.attrs["axes"] = ["two_theta"] if n_axes == 1 else ["two_theta", "chi"]
        else:
            data["counts"].attrs["signal"] = 1
            data["counts"].attrs["axes"] = "two_theta"
    return buffer.getvalue()


def zipped(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in members.items():
            pack.writestr(name, text)
    return buffer.getvalue()
