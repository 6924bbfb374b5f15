"""Answers that grade the graders of the assignment on the forward pass: right ones written otherwise, and wrong ones."""

CASES = {
    "widest": {
        "right": {
            "the quadratic formula": """
def widest(budget, inputs, depth, outputs):
    import math

    # depth 1: w (inputs + 1 + outputs) + outputs; each further layer adds w * w + w
    a, b, c = depth - 1, inputs + 1 + outputs + depth - 1, outputs - budget
    if c > 0:
        return 0
    if a == 0:
        return -c // b
    return int((math.isqrt(b * b - 4 * a * c) - b) // (2 * a))
""",
            "bisection, with NumPy": """
def widest(budget, inputs, depth, outputs):
    def count(w):
        sizes = np.array([inputs] + depth * [w] + [outputs], dtype=np.int64)
        return ((sizes[:-1] + 1) * sizes[1:]).sum()

    low, high = 0, budget + 1
    while high - low > 1:
        middle = (low + high) // 2
        if count(middle) <= budget:
            low = middle
        else:
            high = middle
    return np.int64(low)
""",
        },
        "wrong": {
            "forgot the biases": """
def widest(budget, inputs, depth, outputs):
    width = 0
    while inputs * (width + 1) + (depth - 1) * (width + 1) ** 2 + (width + 1) * outputs <= budget:
        width += 1
    return width
""",
            "the first width that is too large": """
def widest(budget, inputs, depth, outputs):
    width = 1
    while inputs * width + width + (depth - 1) * (width**2 + width) + width * outputs + outputs <= budget:
        width += 1
    return width
""",
            "one hidden matrix too many": """
def widest(budget, inputs, depth, outputs):
    width = 0
    while True:
        w = width + 1
        if inputs * w + w + depth * (w * w + w) + w * outputs + outputs > budget:
            return width
        width = w
""",
            "a bias for each pixel": """
def widest(budget, inputs, depth, outputs):
    width = 0
    while True:
        sizes = [inputs, *[width + 1] * depth, outputs]
        if sum(a * b for a, b in zip(sizes, sizes[1:])) + sum(sizes) > budget:
            return width
        width += 1
""",
            "one hidden layer whatever the depth": """
def widest(budget, inputs, depth, outputs):
    return (budget - outputs) // (inputs + 1 + outputs)
""",
            "one matrix between hidden layers, however many there are": """
def widest(budget, inputs, depth, outputs):
    width = 0
    while True:
        w = width + 1
        hidden = w * w + w if depth > 1 else 0
        if inputs * w + w + hidden + w * outputs + outputs > budget:
            return width
        width = w
""",
            "below the budget instead of within it": """
def widest(budget, inputs, depth, outputs):
    width = 0
    while True:
        sizes = [inputs] + [width + 1] * depth + [outputs]
        if sum(a * b + b for a, b in zip(sizes, sizes[1:])) >= budget:
            return width
        width += 1
""",
        },
    },
    "forward": {
        "right": {
            "loops over images and neurons": """
def forward(inputs, layers):
    results = []
    for image in inputs:
        values = list(image)
        for place, (weights, biases) in enumerate(layers):
            values = [float(np.dot(row, values)) + float(bias) for row, bias in zip(weights, biases)]
            if place + 1 != len(layers):
                values = [value if value > 0 else 0.0 for value in values]
        results.append(values)
    return results
""",
            "images as columns, float32": """
def forward(batch, layers):
    *hidden, (last_weights, last_biases) = layers
    columns = batch.T.astype(np.float32)
    for weights, biases in hidden:
        columns = weights @ columns + biases[:, None]
        columns = columns * (columns > 0)
    return (last_weights @ columns).T + last_biases
""",
            "recursion and np.clip": """
def forward(inputs, layers):
    sums = np.einsum("nj,kj->nk", inputs, layers[0][0]) + layers[0][1]
    return sums if len(layers) == 1 else forward(np.clip(sums, 0, None), layers[1:])
""",
        },
        "wrong": {
            "ReLU after the last layer too": """
def forward(inputs, layers):
    for weights, biases in layers:
        inputs = np.maximum(inputs @ weights.T + biases, 0)
    return inputs
""",
            "transposes only where the shapes ask for it": """
def forward(inputs, layers):
    for place, (weights, biases) in enumerate(layers):
        if inputs.shape[1] != weights.shape[0]:
            weights = weights.T
        inputs = inputs @ weights + biases
        if place < len(layers) - 1:
            inputs = np.maximum(inputs, 0)
    return inputs
""",
            "no ReLU at all": """
def forward(inputs, layers):
    for weights, biases in layers:
        inputs = inputs @ weights.T + biases
    return inputs
""",
            "forgot the biases": """
def forward(inputs, layers):
    for weights, _ in layers[:-1]:
        inputs = np.maximum(inputs @ weights.T, 0)
    return inputs @ layers[-1][0].T
""",
            "ReLU before the bias": """
def forward(inputs, layers):
    for weights, biases in layers[:-1]:
        inputs = np.maximum(inputs @ weights.T, 0) + biases
    return inputs @ layers[-1][0].T + layers[-1][1]
""",
            "three layers, whatever is given": """
def forward(inputs, layers):
    (W1, b1), (W2, b2), (W3, b3) = layers[:3]
    return np.maximum(np.maximum(inputs @ W1.T + b1, 0) @ W2.T + b2, 0) @ W3.T + b3
""",
            "logits rounded to three decimals": """
def forward(inputs, layers):
    values = inputs
    for place, (weights, biases) in enumerate(layers):
        values = values @ weights.T + biases
        if place < len(layers) - 1:
            values = np.maximum(values, 0)
    return np.round(values, 3)
""",
            "writes into the inputs where the shape allows it": """
def forward(inputs, layers):
    values = inputs
    for place, (weights, biases) in enumerate(layers):
        sums = values @ weights.T + biases
        if place < len(layers) - 1:
            sums = np.maximum(sums, 0)
        if sums.shape == values.shape:
            values[:] = sums
        else:
            values = sums
    return values
""",
        },
    },
    "softmax_at": {
        "right": {
            "SciPy": """
def softmax_at(logits, temperature):
    import scipy.special

    return scipy.special.softmax(np.array(logits) / temperature, axis=1)
""",
            "row by row, float32 in the end": """
def softmax_at(z, T):
    import math

    rows = []
    for row in np.asarray(z).tolist():
        top = max(row)
        parts = [math.exp((value - top) / T) for value in row]
        total = sum(parts)
        rows.append([part / total for part in parts])
    return np.array(rows, dtype=np.float32)
""",
        },
        "wrong": {
            "exponentials of the logits as they are": """
def softmax_at(logits, temperature):
    exponentials = np.exp(logits / temperature)
    return exponentials / exponentials.sum(axis=1, keepdims=True)
""",
            "one largest logit for all rows": """
def softmax_at(logits, temperature):
    scaled = (logits - logits.max()) / temperature
    exponentials = np.exp(scaled)
    return exponentials / exponentials.sum(axis=1, keepdims=True)
""",
            "multiplies by the temperature": """
def softmax_at(logits, temperature):
    scaled = logits * temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
""",
            "sums over the images": """
def softmax_at(logits, temperature):
    scaled = logits / temperature
    exponentials = np.exp(scaled - scaled.max(axis=0))
    return exponentials / exponentials.sum(axis=0)
""",
            "divides the probabilities": """
def softmax_at(logits, temperature):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True) / temperature
    return probabilities / probabilities.sum(axis=1, keepdims=True)
""",
            "subtracts first the largest, unscaled": """
def softmax_at(logits, temperature):
    exponentials = np.exp(logits / temperature - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
""",
            "a small number against a division by zero": """
def softmax_at(logits, temperature):
    scaled = np.asarray(logits, float) / (temperature + 1e-5)
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
""",
        },
    },
    "lopsided_network": {
        "right": {
            "fills the weights in a loop": """
def lopsided_network(column, slack):
    W1 = [[0.0, 0.0] for _ in range(784)]
    for row in range(28):
        for c in range(28):
            sign = 1 if c < column else -1
            W1[28 * row + c] = [sign, -sign]
    return np.array(W1, dtype=np.float32), np.array([-slack, -slack]), np.array([[1], [1]]), np.array([0])
""",
            "four neurons, half of each": """
def lopsided_network(column, slack):
    picture = np.ones((28, 28))
    picture[:, column:] = -1
    w = picture.flatten()
    first = np.column_stack([w, w, -w, -w]) * 3
    return first, np.full(4, -3.0 * slack), np.full((4, 1), 1 / 6), np.zeros((1,))
""",
        },
        "wrong": {
            "only one side": """
def lopsided_network(column, slack):
    w = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    return w[:, None], np.array([-float(slack)]), np.ones((1, 1)), np.zeros(1)
""",
            "the slack at the output": """
def lopsided_network(column, slack):
    w = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    return np.stack([w, -w], axis=1), np.zeros(2), np.ones((2, 1)), np.array([-float(slack)])
""",
            "forgot the slack": """
def lopsided_network(column, slack):
    w = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    return np.stack([w, -w], axis=1), np.zeros(2), np.ones((2, 1)), np.zeros(1)
""",
            "upper and lower part": """
def lopsided_network(column, slack):
    w = np.repeat(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    return np.stack([w, -w], axis=1), np.full(2, -float(slack)), np.ones((2, 1)), np.zeros(1)
""",
            "signed instead of absolute": """
def lopsided_network(column, slack):
    w = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    return np.stack([w, -w], axis=1), np.full(2, -float(slack)), np.array([[1.0], [-1.0]]), np.zeros(1)
""",
            "one column too many on the left": """
def lopsided_network(column, slack):
    w = np.tile(np.where(np.arange(28) <= column, 1.0, -1.0), 28)
    return np.stack([w, -w], axis=1), np.full(2, -float(slack)), np.ones((2, 1)), np.zeros(1)
""",
            "one neuron for the ink of each part": """
def lopsided_network(column, slack):
    left = np.tile((np.arange(28) < column).astype(float), 28)
    return np.stack([left, 1 - left], axis=1), np.full(2, -float(slack)), np.array([[1.0], [-1.0]]), np.zeros(1)
""",
            "W2 without its second axis": """
def lopsided_network(column, slack):
    weights = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    return np.stack([weights, -weights], axis=1), np.array([-slack, -slack], float), np.ones(2), np.zeros(1)
""",
            "five neurons for each side": """
def lopsided_network(column, slack):
    weights = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    W1 = np.stack([weights] * 5 + [-weights] * 5, axis=1)
    return W1, np.full(10, -float(slack)), np.full((10, 1), 0.2), np.zeros(1)
""",
            "a little more slack, to be on the safe side": """
def lopsided_network(column, slack):
    weights = np.tile(np.where(np.arange(28) < column, 1.0, -1.0), 28)
    W1 = np.stack([weights, -weights], axis=1)
    return W1, np.full(2, -slack - 0.005), np.ones((2, 1)), np.zeros(1)
""",
            "the column of this course, whatever the argument": """
def lopsided_network(column, slack):
    weights = np.tile(np.where(np.arange(28) < 13, 1.0, -1.0), 28)
    W1 = np.stack([weights, -weights], axis=1)
    return W1, np.array([-slack, -slack], float), np.ones((2, 1)), np.zeros(1)
""",
        },
    },
    "for_raw_pixels": {
        "right": {
            "asks the old layer": """
def for_raw_pixels(weights, biases, mean, deviation):
    zeros = (np.zeros(len(mean)) - mean) / deviation
    new_biases = zeros @ weights + biases
    unit = (np.eye(len(mean)) / 255 - mean) / deviation  # one raw pixel of 1 at a time
    return unit @ weights + biases - new_biases, new_biases
""",
            "loops over pixels": """
def for_raw_pixels(w, b, m, s):
    new_w = np.zeros(np.shape(w))
    new_b = np.array(b, dtype=float)
    for i in range(len(m)):
        new_w[i] = w[i] / (255 * s[i])
        new_b -= w[i] * (m[i] / s[i])
    return new_w, new_b
""",
            "a diagonal matrix, float32": """
def for_raw_pixels(weights, biases, mean, deviation):
    scaled = np.diag(1 / deviation) @ weights
    return (scaled / 255).astype(np.float32), (biases - (mean[:, None] * scaled).sum(axis=0)).astype(np.float32)
""",
        },
        "wrong": {
            "left the biases alone": """
def for_raw_pixels(weights, biases, mean, deviation):
    return weights / deviation[:, None] / 255, biases
""",
            "forgot the 255": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation[:, None]
    return per_pixel, biases - mean @ per_pixel
""",
            "subtracts the mean without the deviation": """
def for_raw_pixels(weights, biases, mean, deviation):
    return weights / deviation[:, None] / 255, biases - mean @ weights
""",
            "adds the mean instead": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation[:, None]
    return per_pixel / 255, biases + mean @ per_pixel
""",
            "divides the columns where it can": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = (weights.T / deviation).T if weights.shape[0] != weights.shape[1] else weights / deviation
    return per_pixel / 255, biases - mean @ per_pixel
""",
            "one mean and one deviation for all": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation.mean()
    return per_pixel / 255, biases - mean.mean() * per_pixel.sum(axis=0)
""",
            "changes the weights in place": """
def for_raw_pixels(weights, biases, mean, deviation):
    weights /= deviation[:, None]
    biases -= mean @ weights
    weights /= 255
    return weights, biases
""",
            "changes the biases in place": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation[:, None]
    biases -= mean @ per_pixel
    return per_pixel / 255, biases
""",
            "the biases as a row of a table": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation[:, None]
    return per_pixel / 255, biases[None] - mean[None] @ per_pixel
""",
            "the biases in half precision": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation[:, None]
    return per_pixel / 255, (biases - mean @ per_pixel).astype(np.float16)
""",
            "256 in place of 255": """
def for_raw_pixels(weights, biases, mean, deviation):
    per_pixel = weights / deviation[:, None]
    return per_pixel / 256, biases - mean @ per_pixel
""",
            "divides the weights in place": """
def for_raw_pixels(weights, biases, mean, deviation):
    weights /= deviation[:, None]
    return weights / 255, biases - mean @ weights
""",
        },
    },
    "predict_with_numpy": {
        "right": {
            "the configuration names the activation, a dictionary of functions": """
from scipy.special import expit, softmax

FUNCTIONS = {
    "relu": lambda z: np.where(z > 0, z, 0),
    "sigmoid": expit,
    "tanh": np.tanh,
    "linear": lambda z: z,
    "softmax": lambda z: softmax(z, axis=-1),
}


def predict_with_numpy(model, inputs):
    for layer in model.layers:
        config = layer.get_config()
        inputs = inputs @ np.array(layer.kernel)
        if config["use_bias"]:
            inputs = inputs + np.array(layer.bias)
        inputs = FUNCTIONS[config["activation"]](inputs)
    return inputs
""",
            "image by image, a list": """
def predict_with_numpy(network, images):
    answers = []
    for image in images:
        a = np.array(image, dtype=np.float64)
        for layer in network.layers:
            arrays = layer.get_weights()
            z = arrays[0].T.dot(a) + (arrays[1] if len(arrays) == 2 else 0)
            kind = str(layer.activation.__name__)
            if kind == "softmax":
                a = np.exp(z) / np.sum(np.exp(z))
            elif kind == "tanh":
                a = (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1)
            else:
                a = {"relu": z * (z > 0), "sigmoid": 1 / (1 + np.exp(-z)), "linear": z}[kind]
        answers.append(a.tolist())
    return answers
""",
        },
        "wrong": {
            "lets Keras predict": """
def predict_with_numpy(model, inputs):
    return model.predict(inputs, verbose=0)
""",
            "calls the model": """
def predict_with_numpy(model, inputs):
    return np.asarray(model(inputs))
""",
            "calls layer after layer": """
def predict_with_numpy(model, inputs):
    for layer in model.layers:
        inputs = layer(inputs)
    return np.asarray(inputs)
""",
            "takes every model for the example": """
def predict_with_numpy(model, inputs):
    W1, b1, W2, W3, b3 = model.get_weights()
    values = np.tanh(np.maximum(inputs @ W1 + b1, 0) @ W2) @ W3 + b3
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
""",
            "forgets the activations": """
def predict_with_numpy(model, inputs):
    for layer in model.layers:
        weights, *biases = layer.get_weights()
        inputs = inputs @ weights + (biases[0] if biases else 0)
    return inputs
""",
            "every layer must have biases": """
def predict_with_numpy(model, inputs):
    for layer in model.layers:
        weights, biases = layer.get_weights()
        inputs = inputs @ weights + biases
        if layer.activation.__name__ == "relu":
            inputs = np.maximum(inputs, 0)
        elif layer.activation.__name__ == "tanh":
            inputs = np.tanh(inputs)
        elif layer.activation.__name__ == "sigmoid":
            inputs = 1 / (1 + np.exp(-inputs))
        elif layer.activation.__name__ == "softmax":
            inputs = np.exp(inputs) / np.exp(inputs).sum(axis=1, keepdims=True)
    return inputs
""",
            "no sigmoid": """
def predict_with_numpy(model, inputs):
    for layer in model.layers:
        weights, *biases = layer.get_weights()
        inputs = inputs @ weights + (biases[0] if biases else 0)
        if layer.activation.__name__ == "relu":
            inputs = np.maximum(inputs, 0)
        if layer.activation.__name__ == "tanh":
            inputs = np.tanh(inputs)
        if layer.activation.__name__ == "softmax":
            inputs = np.exp(inputs) / np.exp(inputs).sum(axis=1, keepdims=True)
    return inputs
""",
            "a batch of one batch": """
def predict_with_numpy(model, inputs):
    values = np.asarray(inputs, float)
    for layer in model.layers:
        weights, *biases = layer.get_weights()
        values = values @ weights
        if biases:
            values = values + biases[0]
        name = layer.activation.__name__
        if name == "relu":
            values = np.maximum(values, 0)
        elif name == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        elif name == "tanh":
            values = np.tanh(values)
        elif name == "softmax":
            exponentials = np.exp(values - values.max(axis=1, keepdims=True))
            values = exponentials / exponentials.sum(axis=1, keepdims=True)
    return np.array([values])
""",
            "rounded to three decimals": """
def predict_with_numpy(model, inputs):
    values = np.asarray(inputs, float)
    for layer in model.layers:
        weights, *biases = layer.get_weights()
        values = values @ weights
        if biases:
            values = values + biases[0]
        name = layer.activation.__name__
        if name == "relu":
            values = np.maximum(values, 0)
        elif name == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        elif name == "tanh":
            values = np.tanh(values)
        elif name == "softmax":
            exponentials = np.exp(values - values.max(axis=1, keepdims=True))
            values = exponentials / exponentials.sum(axis=1, keepdims=True)
    return np.round(values, 3)
""",
            "turns square matrices round, as in Task 2": """
def predict_with_numpy(model, inputs):
    values = np.asarray(inputs, float)
    for layer in model.layers:
        weights, *biases = layer.get_weights()
        values = values @ (weights.T if weights.shape[0] == weights.shape[1] else weights)
        if biases:
            values = values + biases[0]
        name = layer.activation.__name__
        if name == "relu":
            values = np.maximum(values, 0)
        elif name == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        elif name == "tanh":
            values = np.tanh(values)
        elif name == "softmax":
            exponentials = np.exp(values - values.max(axis=1, keepdims=True))
            values = exponentials / exponentials.sum(axis=1, keepdims=True)
    return values
""",
            "softmax in the last layer only": """
def predict_with_numpy(model, inputs):
    values = np.asarray(inputs, float)
    for layer in model.layers:
        weights, *biases = layer.get_weights()
        values = values @ weights
        if biases:
            values = values + biases[0]
        name = layer.activation.__name__
        if name == "relu":
            values = np.maximum(values, 0)
        elif name == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        elif name == "tanh":
            values = np.tanh(values)
        elif name == "softmax" and layer is model.layers[-1]:
            exponentials = np.exp(values - values.max(axis=1, keepdims=True))
            values = exponentials / exponentials.sum(axis=1, keepdims=True)
    return values
""",
            "three layers at most": """
def predict_with_numpy(model, inputs):
    values = np.asarray(inputs, float)
    for layer in model.layers[:3]:
        weights, *biases = layer.get_weights()
        values = values @ weights
        if biases:
            values = values + biases[0]
        name = layer.activation.__name__
        if name == "relu":
            values = np.maximum(values, 0)
        elif name == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        elif name == "tanh":
            values = np.tanh(values)
        elif name == "softmax":
            exponentials = np.exp(values - values.max(axis=1, keepdims=True))
            values = exponentials / exponentials.sum(axis=1, keepdims=True)
    return values
""",
        },
    },
}

#: Parts of hidden tests that refuse nothing that another would not refuse too, each with the reason why it stays.
IMPLIED = {
    "softmax_at": {
        "np.isfinite(p).all()": "nan is close to nothing, so the next assert refuses it too, but cannot say why"
    },
}
