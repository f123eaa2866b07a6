"""`modbus-tk` works heater, valves and the arm's registers: argv PORT HOST TCP_PORT."""

import json
import sys

import modbus_tk.defines as cst
from modbus_tk import modbus_rtu, modbus_tcp
from modbus_tk.exceptions import ModbusError
from serial import Serial


def refused(master, *request):
    try:
        master.execute(*request)
    except ModbusError as error:
        return error.get_exception_code()
    return 0


line = modbus_rtu.RtuMaster(Serial(sys.argv[1]))
line.set_timeout(3.0)
line.execute(1, cst.WRITE_MULTIPLE_REGISTERS, 1, output_value=[3500, 1])
line.execute(2, cst.WRITE_MULTIPLE_COILS, 0, output_value=[1, 0])
found = {
    "sp": line.execute(1, cst.READ_HOLDING_REGISTERS, 1, 2),
    "coils": line.execute(2, cst.READ_COILS, 0, 2),
    "readings": len([line.execute(1, cst.READ_HOLDING_REGISTERS, 0, 1) for _ in range(50)]),
    "refused": [
        refused(line, 1, cst.READ_INPUT_REGISTERS, 0, 1),
        refused(line, 1, cst.READ_HOLDING_REGISTERS, 77, 1),
        refused(line, 1, cst.READ_HOLDING_REGISTERS, 0, 126),
    ],
}
line.close()
arm = modbus_tcp.TcpMaster(sys.argv[2], int(sys.argv[3]))
arm.set_timeout(3.0)
arm.execute(1, cst.WRITE_MULTIPLE_REGISTERS, 128, output_value=[1, 2, 3, 4])
found["arm"] = arm.execute(1, cst.READ_HOLDING_REGISTERS, 128, 4)
found["arm_refused"] = refused(arm, 1, cst.READ_HOLDING_REGISTERS, 300, 1)
arm.close()
print(json.dumps(found))
