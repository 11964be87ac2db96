#!/usr/bin/env python3
"""Writes a GGUF model again with 16-bit floats in place of quantised weights.

    scripts/gguf-to-f16.py IN.gguf OUT.gguf

The server's quantised kernels were compiled for processors with AVX-VNNI; its 16-bit ones run
without. The numbers that a 4-bit weight stood for are kept, only their encoding changes.
"""
import sys

import gguf
import numpy


def main():
    source, target = sys.argv[1:]
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field("general.architecture").contents()
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = field.contents()
        if name == "general.file_type":
            value = int(gguf.LlamaFileType.MOSTLY_F16)
        subtype = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, value, field.types[0], sub_type=subtype)
    for tensor in reader.tensors:
        kind = tensor.tensor_type
        if kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
            writer.add_tensor(tensor.name, tensor.data)
            continue
        whole = gguf.quants.dequantize(tensor.data, kind)
        writer.add_tensor(tensor.name, whole.astype(numpy.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
