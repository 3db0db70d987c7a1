"""tf.train.Example without TensorFlow: the message of TFRecords and of the store's records.

The schema (tensorflow/core/example/{feature,example}.proto) is built here in a descriptor pool of
our own, so that it never clashes with the same messages registered by TensorFlow or TFDS in the
same process. Parsing is protobuf's."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from pixelpush.errors import InputError


@functools.cache
def example_class() -> Any:
    """The protobuf message class of tf.train.Example.

    >>> example = example_class()()
    >>> example.features.feature["length"].int64_list.value.append(4)
    >>> example_class().FromString(example.SerializeToString()) == example
    True
    """
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="pixelpush/example.proto", package="tensorflow", syntax="proto3"
    )

    def message(name: str, *fields: tuple[str, int, int, str | None]) -> Any:
        added = file.message_type.add(name=name)
        for field_name, label, kind, type_name in fields:
            new = added.field.add(
                name=field_name, number=len(added.field) + 1, label=label, type=kind
            )
            if type_name:
                new.type_name = type_name
        return added

    one = field.LABEL_OPTIONAL
    many = field.LABEL_REPEATED
    message("BytesList", ("value", many, field.TYPE_BYTES, None))
    message("FloatList", ("value", many, field.TYPE_FLOAT, None))
    message("Int64List", ("value", many, field.TYPE_INT64, None))
    feature = message(
        "Feature",
        ("bytes_list", one, field.TYPE_MESSAGE, ".tensorflow.BytesList"),
        ("float_list", one, field.TYPE_MESSAGE, ".tensorflow.FloatList"),
        ("int64_list", one, field.TYPE_MESSAGE, ".tensorflow.Int64List"),
    )
    feature.oneof_decl.add(name="kind")
    for item in feature.field:
        item.oneof_index = 0
    features = message(
        "Features", ("feature", many, field.TYPE_MESSAGE, ".tensorflow.Features.FeatureEntry")
    )
    entry = features.nested_type.add(
        name="FeatureEntry"
    )  # how protobuf spells map<string, Feature>
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=one, type=field.TYPE_STRING)
    entry.field.add(
        name="value", number=2, label=one, type=field.TYPE_MESSAGE, type_name=".tensorflow.Feature"
    )
    message("Example", ("features", one, field.TYPE_MESSAGE, ".tensorflow.Features"))

    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


def parse_example(data: bytes, what: str) -> Any:
    """The map key -> Feature of serialised bytes; ``what`` names the record in errors.

    Raises InputError for bytes that are no tf.train.Example.

    >>> parse_example(b"no message", "record 3")
    Traceback (most recent call last):
    pixelpush.errors.InputError: record 3: not a tf.train.Example; ...
    """
    try:
        return example_class().FromString(data).features.feature
    except DecodeError:
        raise InputError(
            f"{what}: not a tf.train.Example; the record is damaged or of another kind."
        ) from None


def _feature(features: Any, key: str, kind: str, what: str) -> Any:
    # ``in`` first: looking a missing key up in a protobuf map would insert it.
    if key not in features:
        raise InputError(f"{what}: no feature {key!r}.")
    found = features[key].WhichOneof("kind")
    if found != kind:
        raise InputError(f"{what}: feature {key!r} is {found or 'empty'}, expected {kind}.")
    return getattr(features[key], kind).value


def bytes_feature(features: Any, key: str, what: str) -> list[bytes]:
    """The values of a bytes feature; an absent key or another kind is an InputError.

    >>> message = example_class()()
    >>> message.features.feature["id"].bytes_list.value.append(b"a")
    >>> bytes_feature(message.features.feature, "id", "record 0")
    [b'a']
    """
    return list(_feature(features, key, "bytes_list", what))


def one_bytes_feature(features: Any, key: str, what: str) -> bytes:
    """The value of a bytes feature that must hold exactly one; anything else is an InputError.

    >>> message = example_class()()
    >>> message.features.feature["id"].bytes_list.value.append(b"a")
    >>> one_bytes_feature(message.features.feature, "id", "record 0")
    b'a'
    """
    values = _feature(features, key, "bytes_list", what)
    if len(values) != 1:
        raise InputError(f"{what}: feature {key!r} has {len(values)} values, expected 1.")
    return values[0]


def float_feature(features: Any, key: str, count: int, what: str) -> np.ndarray:
    """float32 (count,) of a float feature; another number of values is an InputError.

    >>> message = example_class()()
    >>> message.features.feature["state"].float_list.value.extend([1.0, 2.0])
    >>> float_feature(message.features.feature, "state", 2, "record 0").tolist()
    [1.0, 2.0]
    """
    values = _feature(features, key, "float_list", what)
    if len(values) != count:
        raise InputError(f"{what}: feature {key!r} has {len(values)} values, expected {count}.")
    return np.array(values, dtype=np.float32)
