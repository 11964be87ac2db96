"""As much of NVIDIA's management library as a power measurement needs, by ctypes."""

import ctypes

UNSUPPORTED = 3
CLOCK_SM = 1


class MeterError(RuntimeError):
    pass


class Board:
    """One GPU: its energy counter, power, clock, limit and name."""

    def __init__(self, index=0, library="libnvidia-ml.so.1"):
        try:
            self._nvml = ctypes.CDLL(library)
        except OSError as error:
            raise MeterError(f"no NVIDIA driver here: {error}") from None
        self._check(self._nvml.nvmlInit_v2(), "nvmlInit_v2")
        self._device = ctypes.c_void_p()
        self._check(
            self._nvml.nvmlDeviceGetHandleByIndex_v2(
                ctypes.c_uint(index), ctypes.byref(self._device)), "device")

    @staticmethod
    def _check(code, what):
        if code != 0:
            raise MeterError(f"NVML: {what} failed with {code}")

    def _number(self, call, kind=ctypes.c_uint, *before):
        """None where the board does not say."""
        value = kind()
        code = getattr(self._nvml, call)(self._device, *before, ctypes.byref(value))
        if code == UNSUPPORTED:
            return None
        self._check(code, call)
        return value.value

    def _text(self, call, *handle):
        text = ctypes.create_string_buffer(96)
        self._check(getattr(self._nvml, call)(*handle, text, ctypes.c_uint(96)), call)
        return text.value.decode()

    @property
    def name(self):
        return self._text("nvmlDeviceGetName", self._device)

    @property
    def driver(self):
        return self._text("nvmlSystemGetDriverVersion")

    def joules(self):
        """Since the driver was loaded; None where there is no counter."""
        millijoules = self._number("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
        return None if millijoules is None else millijoules / 1e3

    def watts(self):
        """The mean of one second on Ampere and newer."""
        milliwatts = self._number("nvmlDeviceGetPowerUsage")
        return None if milliwatts is None else milliwatts / 1e3

    def limit_watts(self):
        milliwatts = self._number("nvmlDeviceGetEnforcedPowerLimit")
        return None if milliwatts is None else milliwatts / 1e3

    def megahertz(self):
        return self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, ctypes.c_uint(CLOCK_SM))
