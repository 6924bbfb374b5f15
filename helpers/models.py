"""The networks that more than one chapter uses."""

import base64

import helpers.quiet  # before Keras: keeps start-up messages off the page
import keras
import numpy as np

PIXELS = 28 * 28
CLASSES = 10

#: The two architectures of the course report: its section 4 draws one hidden layer, its code builds two.
REPORT_SECTION_4 = (128,)
REPORT_CODE = (128, 64)


def build_mlp(hidden=REPORT_CODE, activation="relu", optimizer="adam", one_hot=True, **compile_options):
    """Build and compile a multilayer perceptron for flattened digits, as the course report does.

    Parameters
    ----------
    hidden : sequence of int
        Neurons of each hidden layer; ``()`` gives multinomial logistic regression.
    activation : str
        Keras's name of the hidden layers' activation.
    optimizer : str or keras.optimizers.Optimizer
        "adam" is Keras's Adam with its default learning rate of 0.001.
    one_hot : bool
        True: labels are float (n, 10) rows, loss "categorical_crossentropy". False: integer labels (n,), the sparse
        loss.
    **compile_options
        Passed on to ``model.compile`` (``steps_per_execution``, say).

    Returns
    -------
    keras.Sequential
        Takes float32 (n, 784) inputs in 0..1, gives float32 (n, 10) probabilities.
        The weights are drawn by Keras's defaults from its global generator: call ``helpers.training.set_seed`` first.
    """
    layers = [keras.Input((PIXELS,))]
    layers += [keras.layers.Dense(units, activation=activation) for units in hidden]
    layers += [keras.layers.Dense(CLASSES, activation="softmax")]
    model = keras.Sequential(layers)
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], **compile_options)
    return model


def array_of(text, dtype, shape):
    """An array from the text of a record (its bytes, little-endian, in base64)."""
    return np.frombuffer(base64.b64decode(text), np.dtype(dtype).newbyteorder("<")).reshape(shape).astype(dtype)


def network_of(record):
    """The Keras model that holds exactly the rounded weights of a record.

    Raises
    ------
    ValueError
        If the record has a layer of an unknown type.
    """
    layers = record["layers"]
    if unknown := {layer["type"] for layer in layers} - {"dense"}:
        raise ValueError(f"{record['name']} has layers of the type {', '.join(sorted(unknown))}: only dense is known")
    model = build_mlp([layer["outputs"] for layer in layers[:-1]], layers[0]["activation"])
    for layer, kept in zip(model.layers, layers, strict=True):
        shape = (kept["inputs"], kept["outputs"])
        weights = array_of(kept["weights"], np.int8, shape).astype(np.float32)
        weights *= array_of(kept["scales"], np.float32, shape[1:])
        layer.set_weights([weights, array_of(kept["biases"], np.float32, shape[1:])])
    return model
