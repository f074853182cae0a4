"""From stored values to a picture (PS3.3 C.11): windows, tables, slopes, inversion and padding, odd or wrong."""
import numpy as np
from bad_files import GREY, RNG, SIGNED, native, odd, refused, with_text
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

NO_WINDOW = {"WindowCenter": None, "WindowWidth": None, "VOILUTFunction": None}
NO_LUT = {"VOILUTSequence": None, "ModalityLUTSequence": None}
RAMP = range(0, 4096, 2)
WIDE = RNG.integers(0, 65536, (48, 62)).astype("u2")


def lut(entries, first=0, bits=12, vr="US", count=None):
    """A sequence of one lookup table, whose descriptor may say another count than it has; None: without data."""
    item = Dataset()
    if count is None:
        count = len(RAMP if entries is None else entries)
    item.add_new("LUTDescriptor", vr, [count, first, bits])
    if entries is not None:
        item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return [item]


for text, problem in (("0", "is 0"), ("-0", "is 0"), ("0.0", "is 0"), ("NaN", "is not a number"),
                      ("abc", "is not a number"), ("inf", "is not a number")):
    refused(f"slope_{text}", "RescaleSlope", problem, with_text, "RescaleSlope", text, RescaleIntercept=0)
for text in ("NaN", "abc", "-inf"):
    refused(f"intercept_{text}", "RescaleIntercept", "is not a number", with_text, "RescaleIntercept", text,
            RescaleSlope=1)
odd("slope_fractional", GREY, "-100/777", native, RescaleSlope="0.37", RescaleIntercept="-812.5", WindowCenter=-100,
    WindowWidth=777)
odd("slope_fractional_no_window", GREY, "", native, RescaleSlope="0.37", RescaleIntercept="-812.5")
odd("slope_empty", GREY, "", native, RescaleSlope=None, RescaleIntercept=None,
    as_if={"RescaleSlope": 1, "RescaleIntercept": 0})
odd("slope_alone", GREY, "", native, RescaleSlope=2, WindowCenter=1000, WindowWidth=2000)
odd("slope_negative", GREY, "", native, RescaleSlope=-1, RescaleIntercept=4095, WindowCenter=1000, WindowWidth=2000)

for width in ("0", "-300", "0.5", "-0"):
    odd(f"width_{width}", GREY, f"min-max: invalid window (width {width})", with_text, "WindowWidth", width,
        WindowCenter=2000, as_if=NO_WINDOW)
for function in ("LINEAR_EXACT", "SIGMOID"):
    for width in ("0", "-1"):
        odd(f"width_{width}_{function}", GREY, f"min-max: invalid window (width {width})", with_text, "WindowWidth",
            width, WindowCenter=2000, VOILUTFunction=function, as_if=NO_WINDOW)
    for width in ("0.5", "1"):
        odd(f"width_{width}_{function}", GREY, f"2000/{width} {function}", native, WindowCenter=2000, WindowWidth=width,
            VOILUTFunction=function)
odd("width_1", GREY, "2000/1 LINEAR", native, WindowCenter=2000, WindowWidth=1)
for text in ("NaN", "abc", "inf", "1e999"):
    odd(f"width_{text}", GREY, "min-max: invalid window (width", with_text, "WindowWidth", text, WindowCenter=2000,
        as_if=NO_WINDOW)
    odd(f"center_{text}", GREY, "min-max: invalid window (center", with_text, "WindowCenter", text, WindowWidth=2000,
        as_if=NO_WINDOW)
odd("window_empty", GREY, "min-max: no window", native, WindowCenter=None, WindowWidth=None)
odd("center_alone", GREY, "1 window centers and 0 widths", native, WindowCenter=2000, as_if=NO_WINDOW)
odd("width_alone", GREY, "0 window centers and 1 widths", native, WindowWidth=2000, as_if=NO_WINDOW)
odd("2_centers_1_width", GREY, "2 window centers and 1 widths", native, WindowCenter=[1000, 3000], WindowWidth=2000)
odd("1_center_2_widths", GREY, "1 window centers and 2 widths", native, WindowCenter=1000, WindowWidth=[2000, 10])
odd("several_windows", GREY, "window 1 of 2: 1000/2000", native, WindowCenter=[1000, 3000], WindowWidth=[2000, 10])
odd("function_unknown", GREY, "unknown VOI LUT function 'LOGARITHM'", native, WindowCenter=1000, WindowWidth=2000,
    VOILUTFunction="LOGARITHM", as_if=NO_WINDOW)
odd("function_empty", GREY, "1000/2000 LINEAR", native, WindowCenter=1000, WindowWidth=2000, VOILUTFunction=None)

for kind in ("VOILUTSequence", "ModalityLUTSequence"):
    for name, sequence, told in (
            ("without_item", [], ""),
            ("without_data", lut(None), f"{kind}: LUTData has 0 entries, the descriptor says 2048"),
            ("short", lut(RAMP, count=4096), f"{kind}: LUTData has 2048 entries, the descriptor says 4096"),
            ("of_1_for_65536", lut([0], count=0), f"{kind}: LUTData has 1 entries, the descriptor says 65536"),
            ("of_7_bits", lut(RAMP, bits=7), f"{kind}: 7 bits"),
            ("of_17_bits", lut(RAMP, bits=17), f"{kind}: 17 bits")):
        odd(f"{kind}_{name}", GREY, told, native, **{kind: sequence}, as_if=NO_LUT)
    odd(f"{kind}_signed", SIGNED, "", native, SIGNED, **{kind: lut(RAMP, -700, vr="SS")})
    odd(f"{kind}_of_65536", WIDE, "", native, WIDE, 16, **{kind: lut(np.arange(65536) * 3 % 65536, bits=16, count=0)})
    odd(f"{kind}_too_long", GREY, "", native, **{kind: lut(RAMP, count=1000)})
odd("VOILUTSequence_invalid_is_said", GREY, "min-max: invalid VOI LUT", native, VOILUTSequence=lut(RAMP, count=4096),
    as_if=NO_LUT)
odd("window_and_VOILUTSequence", GREY, "window 1 of 1: 1000/2000", native, VOILUTSequence=lut(RAMP), WindowCenter=1000,
    WindowWidth=2000)

# The first input value's sign is not its VR's: PS3.3 C.11.1.1 and C.11.2.1.1 tell it.
FULL = np.linspace(0, 65535, 4096).astype("u2")
HIGH = RNG.integers(0, 65536, (48, 62)).astype("u2")
for kind in ("VOILUTSequence", "ModalityLUTSequence"):
    odd(f"{kind}_signed_in_implicit_vr", SIGNED, "", native, SIGNED, syntax=ImplicitVRLittleEndian,
        **{kind: lut(FULL, -2048, bits=16, vr="SS")})
    odd(f"{kind}_unsigned_in_implicit_vr", HIGH, "", native, HIGH, 16, syntax=ImplicitVRLittleEndian,
        **{kind: lut(FULL, 40000, bits=16)})
    odd(f"{kind}_signed_said_us", SIGNED, f"{kind}: LUTDescriptor's first input value is read as -2048", native, SIGNED,
        **{kind: lut(FULL, 65536 - 2048, bits=16)}, as_if={kind: lut(FULL, -2048, bits=16, vr="SS")})
    odd(f"{kind}_unsigned_said_ss", HIGH, f"{kind}: LUTDescriptor's first input value is read as 40000", native, HIGH,
        16, **{kind: lut(FULL, 40000 - 65536, bits=16, vr="SS")}, as_if={kind: lut(FULL, 40000, bits=16)})
    odd(f"{kind}_beyond_all_pixels_but_by_its_vr", GREY, "beyond all pixels", native,
        **{kind: lut(FULL, -2048, bits=16, vr="SS")})
# After a rescale the input may be negative though the pixels are not, and the other way round.
for vr, said in (("SS", ""), ("US", "its VR is US, but by RescaleSlope and RescaleIntercept it is signed")):
    odd(f"VOILUTSequence_of_negative_rescaled_said_{vr}", GREY, said, native, RescaleSlope=1, RescaleIntercept=-1024,
        VOILUTSequence=lut(FULL, -1024 if vr == "SS" else 65536 - 1024, bits=16, vr=vr),
        as_if={"VOILUTSequence": lut(FULL, -1024, bits=16, vr="SS")})
for vr, said in (("US", ""), ("SS", "its VR is SS, but by RescaleSlope and RescaleIntercept it is unsigned")):
    odd(f"VOILUTSequence_of_positive_rescaled_said_{vr}", SIGNED, said, native, SIGNED, RescaleSlope=1,
        RescaleIntercept=40000, VOILUTSequence=lut(FULL, 38000 if vr == "US" else 38000 - 65536, bits=16, vr=vr),
        as_if={"VOILUTSequence": lut(FULL, 38000, bits=16)})
    odd(f"VOILUTSequence_of_modality_lut_said_{vr}", SIGNED, said.replace("RescaleSlope and RescaleIntercept", "a modal"
        "ity LUT"), native, SIGNED, ModalityLUTSequence=lut(FULL, -2048, bits=16, vr="SS"),
        VOILUTSequence=lut(FULL, 50000 if vr == "US" else 50000 - 65536, bits=16, vr=vr),
        as_if={"VOILUTSequence": lut(FULL, 50000, bits=16)})
odd("VOILUTSequence_of_16_bits_filled_to_12", GREY, "entries have 16 bits by LUTDescriptor, and none is over 4094",
    native, VOILUTSequence=lut(RAMP, bits=16))

for photometric in ("MONOCHROME1", "MONOCHROME2"):
    for shape in (None, "IDENTITY", "INVERSE"):
        attributes = {"PhotometricInterpretation": photometric} | ({"PresentationLUTShape": shape} if shape else {})
        odd(f"{photometric}_{shape or 'alone'}", GREY, photometric, native, **attributes)
        odd(f"{photometric}_{shape or 'alone'}_window", GREY, photometric, native, WindowCenter=1500, WindowWidth=900,
            **attributes)
    for name, value, limit in (("one", 4000, None), ("up", 4000, 4095), ("down", 4095, 4000), ("equal", 4000, 4000)):
        attributes = {"PixelPaddingValue": value} | ({"PixelPaddingRangeLimit": limit} if limit else {})
        odd(f"padding_{name}_{photometric}", GREY, photometric, native, PhotometricInterpretation=photometric,
            **attributes)
odd("padding_signed", SIGNED, "", native, SIGNED, PixelPaddingValue=-2048, PixelPaddingRangeLimit=-1900)
odd("padding_rescaled", GREY, "", native, PixelPaddingValue=0, PixelPaddingRangeLimit=500, RescaleSlope=-2,
    RescaleIntercept=9)
odd("padding_of_everything", GREY, "constant image", native, PixelPaddingValue=0, PixelPaddingRangeLimit=4095,
    black=True)
