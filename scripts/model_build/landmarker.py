"""Owns ``face_landmarker.task``: MediaPipe's face detector and face mesh as the bundle its Tasks API expects.

Rules: nothing is retrained or converted; each model only gets the metadata the Tasks API reads (input colour and
normalisation), and the mesh a GATHER operation that repeats ten of its points, because that API always decodes 478
points and the mesh gives 468. The added points stand in for irises and no code may use them; but they must lie on the
face, because the API follows a face by the box around all 478 (zeros pulled the box off the face: 22 pixels of error).
"""

from __future__ import annotations

import io
import zipfile
from types import ModuleType
from typing import Any

import flatbuffers

MESH_VALUES = 468 * 3
REPEATED_POINTS = (159, 33, 159, 133, 145, 386, 263, 386, 362, 374)
"""Eye contour points at the places of the ten iris points."""
MIN_PARSER_VERSION = "1.0.0"
ZIP_ALIGNMENT_BYTES = 4
"""The Tasks API maps the models straight from the file, so each must start on a multiple of this."""
PADDING_FIELD_ID = b"\x35\xd9"
"""The zip extra field that Android's zipalign uses for padding; readers skip it."""


def build(detector: bytes, mesh: bytes, schema: ModuleType, metadata_schema: ModuleType) -> bytes:
    """The bundle's bytes; the same inputs always give the same bytes."""
    detector_model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(detector, 0))
    mesh_model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(mesh, 0))
    _pad_landmarks(mesh_model, schema)
    # Both normalisations are those of MediaPipe's own graphs: detector -1..1, mesh 0..1.
    _set_metadata(detector_model, schema, metadata_schema, "Face detector, short range", (127.5, 127.5))
    _set_metadata(mesh_model, schema, metadata_schema, "Face mesh, 468 points padded to 478", (0.0, 255.0))
    return _bundle(
        {
            "face_detector.tflite": _pack(detector_model, b"TFL3"),
            "face_landmarks_detector.tflite": _pack(mesh_model, b"TFL3"),
        }
    )


def _pad_landmarks(model: Any, schema: ModuleType) -> None:
    graph = model.subgraphs[0]
    source_index = graph.outputs[0]
    source = graph.tensors[source_index]
    if list(source.shape) != [1, 1, 1, MESH_VALUES]:
        raise ValueError(f"the mesh's first output is {list(source.shape)}, expected [1, 1, 1, {MESH_VALUES}]")

    chosen = [*range(MESH_VALUES), *(3 * point + axis for point in REPEATED_POINTS for axis in range(3))]
    values = schema.BufferT()
    values.data = list(b"".join(index.to_bytes(4, "little") for index in chosen))
    model.buffers.append(values)
    indices = schema.TensorT()
    indices.name = b"landmark_indices"
    indices.shape = [len(chosen)]
    indices.type = schema.TensorType.INT32
    indices.buffer = len(model.buffers) - 1
    padded = schema.TensorT()
    padded.name = b"landmarks_478"
    padded.shape = [1, 1, 1, len(chosen)]
    padded.type = source.type
    padded.buffer = 0
    graph.tensors.extend([indices, padded])

    options = schema.GatherOptionsT()
    options.axis = 3
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes)
    operator.inputs = [source_index, len(graph.tensors) - 2]
    operator.outputs = [len(graph.tensors) - 1]
    operator.builtinOptionsType = schema.BuiltinOptions.GatherOptions
    operator.builtinOptions = options
    graph.operators.append(operator)
    graph.outputs = [len(graph.tensors) - 1, *list(graph.outputs)[1:]]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.GATHER
    code.version = 1
    model.operatorCodes.append(code)


def _set_metadata(model: Any, schema: ModuleType, meta: ModuleType, name: str, scale: tuple[float, float]) -> None:
    """scale: mean and standard deviation the Tasks API normalises pixels with."""
    image = meta.ImagePropertiesT()
    image.colorSpace = meta.ColorSpaceType.RGB
    content = meta.ContentT()
    content.contentPropertiesType = meta.ContentProperties.ImageProperties
    content.contentProperties = image
    normalisation = meta.NormalizationOptionsT()
    normalisation.mean = [scale[0]]
    normalisation.std = [scale[1]]
    unit = meta.ProcessUnitT()
    unit.optionsType = meta.ProcessUnitOptions.NormalizationOptions
    unit.options = normalisation
    tensor = meta.TensorMetadataT()
    tensor.name = "image"
    tensor.content = content
    tensor.processUnits = [unit]
    graph_metadata = meta.SubGraphMetadataT()
    graph_metadata.inputTensorMetadata = [tensor]
    graph_metadata.outputTensorMetadata = [_output_metadata(meta, index) for index in range(2)]
    model_metadata = meta.ModelMetadataT()
    model_metadata.name = name
    model_metadata.license = "Apache-2.0"
    model_metadata.author = "The MediaPipe Authors"
    model_metadata.subgraphMetadata = [graph_metadata]
    model_metadata.minParserVersion = MIN_PARSER_VERSION

    buffer = schema.BufferT()
    buffer.data = list(_pack(model_metadata, b"M001"))
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = b"TFLITE_METADATA"
    entry.buffer = len(model.buffers) - 1
    model.metadata = [kept for kept in model.metadata or [] if kept.name != entry.name] + [entry]


def _output_metadata(meta: ModuleType, index: int) -> Any:
    tensor = meta.TensorMetadataT()
    tensor.name = f"output_{index}"
    return tensor


def _pack(table: Any, identifier: bytes) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(table.Pack(builder), file_identifier=identifier)
    return bytes(builder.Output())


def _bundle(models: dict[str, bytes]) -> bytes:
    """An uncompressed zip with fixed dates and aligned members (padded through the zip's extra field)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in models.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            data_start = stream.tell() + 30 + len(name) + len(PADDING_FIELD_ID) + 2
            padding = -data_start % ZIP_ALIGNMENT_BYTES
            info.extra = PADDING_FIELD_ID + padding.to_bytes(2, "little") + bytes(padding)
            bundle.writestr(info, data)
    return stream.getvalue()
