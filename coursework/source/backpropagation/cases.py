"""Answers to the code tasks of ``backpropagation`` that grade the graders: right ones written otherwise, wrong ones."""

CASES = {
    "leaky_backward": {
        "right": {
            "a loop over all entries": """
def leaky_backward(delta, Z, slope):
    back = []
    for errors, row in zip(delta, Z):
        back.append([e if z > 0 else slope * e for e, z in zip(errors, row)])
    return np.array(back)
""",
            "masks added up, in single precision": """
def leaky_backward(delta, Z, slope):
    on = (Z > 0).astype(np.float32)
    return delta * (on + np.float32(slope) * (1 - on))
""",
            "a copy changed with a mask": """
def leaky_backward(d, pre, s):
    out = d.copy()
    out[pre < 0] *= s
    return out
""",
        },
        "wrong": {
            "ReLU: nothing comes back": """
def leaky_backward(delta, Z, slope):
    return delta * (Z > 0)
""",
            "times the activation instead of its derivative": """
def leaky_backward(delta, Z, slope):
    return delta * np.where(Z > 0, Z, slope * Z)
""",
            "the sign of the error decides": """
def leaky_backward(delta, Z, slope):
    return np.where(delta > 0, delta, slope * delta)
""",
            "the two sides exchanged": """
def leaky_backward(delta, Z, slope):
    return delta * np.where(Z > 0, slope, 1)
""",
            "the slope of the visible test": """
def leaky_backward(delta, Z, slope):
    return delta * np.where(Z > 0, 1, 0.5)
""",
            "an error divided by the slope": """
def leaky_backward(delta, Z, slope):
    return np.where(Z > 0, delta, delta / slope)
""",
            "a slope that is never quite 0": """
def leaky_backward(delta, Z, slope):
    return delta * np.where(Z > 0, 1.0, slope + 1e-6)
""",
        },
    },
    "numerical_gradient": {
        "right": {
            "on a copy, with a nudge of the whole shape": """
def numerical_gradient(function, array, h):
    out = np.empty(array.shape)
    for i in range(array.size):
        nudge = np.zeros(array.size)
        nudge[i] = h
        nudge = nudge.reshape(array.shape)
        out.flat[i] = (function(array + nudge) - function(array - nudge)) / (2 * h)
    return out
""",
            "np.nditer, in place": """
def numerical_gradient(f, w, step):
    slopes = np.zeros(w.shape)
    it = np.nditer(w, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        old = w[i].copy()
        w[i] = old + step
        up = f(w)
        w[i] = old - step
        down = f(w)
        w[i] = old
        slopes[i] = (up - down) / (2 * step)
        it.iternext()
    return slopes
""",
        },
        "wrong": {
            "one-sided": """
def numerical_gradient(function, array, h):
    gradient, here = np.zeros_like(array), function(array)
    for place in np.ndindex(array.shape):
        array[place] += h
        gradient[place] = (function(array) - here) / h
        array[place] -= h
    return gradient
""",
            "divided by h": """
def numerical_gradient(function, array, h):
    gradient, array = np.zeros_like(array), array.copy()
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + h
        above = function(array)
        array[place] = value - h
        gradient[place] = (above - function(array)) / h
        array[place] = value
    return gradient
""",
            "does not put the entries back": """
def numerical_gradient(function, array, h):
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        array[place] += h
        above = function(array)
        array[place] -= 2 * h
        gradient[place] = (above - function(array)) / (2 * h)
    return gradient
""",
            "moves all entries at once": """
def numerical_gradient(function, array, h):
    slope = (function(array + h) - function(array - h)) / (2 * h)
    return np.full(array.shape, slope)
""",
            "an h of its own": """
def numerical_gradient(function, array, h):
    h = 1e-5
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        nudge = np.zeros_like(array)
        nudge[place] = h
        gradient[place] = (function(array + nudge) - function(array - nudge)) / (2 * h)
    return gradient
""",
            "matrices only": """
def numerical_gradient(function, array, h):
    gradient = np.zeros_like(array)
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            nudge = np.zeros_like(array)
            nudge[i, j] = h
            gradient[i, j] = (function(array + nudge) - function(array - nudge)) / (2 * h)
    return gradient
""",
            "a table, also for a vector": """
def numerical_gradient(function, array, h):
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + h
        above = function(array)
        array[place] = value - h
        below = function(array)
        array[place] = value
        gradient[place] = (above - below) / (2 * h)
    return np.atleast_2d(gradient)
""",
            "rounded to five decimals": """
def numerical_gradient(function, array, h):
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + h
        above = function(array)
        array[place] = value - h
        below = function(array)
        array[place] = value
        gradient[place] = (above - below) / (2 * h)
    return np.round(gradient, 5)
""",
            "stored in single precision": """
def numerical_gradient(function, array, h):
    gradient = np.zeros(array.shape, np.float32)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + h
        above = function(array)
        array[place] = value - h
        below = function(array)
        array[place] = value
        gradient[place] = (above - below) / (2 * h)
    return gradient
""",
        },
    },
    "wrong_arrays": {
        "right": {
            "a comprehension": """
def wrong_arrays(computed, measured, tolerance):
    def fine(a, b):
        return a.shape == b.shape and np.max(np.abs(a - b)) <= tolerance * np.max(np.abs(b))

    return [name for name in measured if not fine(computed[name], measured[name])]
""",
            "entry by entry, as a set": """
def wrong_arrays(computed, measured, tolerance):
    bad = set()
    for key in computed:
        if computed[key].shape != measured[key].shape or np.isnan(computed[key]).any():
            bad.add(key)
        else:
            biggest = max(abs(x) for x in measured[key].ravel())
            for a, b in zip(computed[key].ravel(), measured[key].ravel()):
                if abs(a - b) / biggest > tolerance:
                    bad.add(key)
    return bad
""",
            "np.allclose with the right scale": """
def wrong_arrays(computed, measured, tolerance):
    names = []
    for name, b in measured.items():
        a = computed[name]
        if np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max()):
            names.append(name)
    return names
""",
        },
        "wrong": {
            "absolute differences": """
def wrong_arrays(computed, measured, tolerance):
    return [name for name in measured if computed[name].shape != measured[name].shape
            or not np.abs(computed[name] - measured[name]).max() <= tolerance]
""",
            "without the absolute value": """
def wrong_arrays(computed, measured, tolerance):
    return [name for name in measured if computed[name].shape != measured[name].shape
            or not (computed[name] - measured[name]).max() / np.abs(measured[name]).max() <= tolerance]
""",
            "NaN slips through": """
def wrong_arrays(computed, measured, tolerance):
    names = []
    for name in measured:
        if computed[name].shape != measured[name].shape:
            names.append(name)
        elif np.abs(computed[name] - measured[name]).max() / np.abs(measured[name]).max() > tolerance:
            names.append(name)
    return names
""",
            "broadcasts another shape": """
def wrong_arrays(computed, measured, tolerance):
    names = []
    for name in measured:
        if not np.allclose(computed[name], measured[name], rtol=0, atol=tolerance * np.abs(measured[name]).max()):
            names.append(name)
    return names
""",
            "the mean difference": """
def wrong_arrays(computed, measured, tolerance):
    return [name for name in measured if computed[name].shape != measured[name].shape
            or not np.abs(computed[name] - measured[name]).mean() / np.abs(measured[name]).max() <= tolerance]
""",
            "the answer for the colleague": """
def wrong_arrays(computed, measured, tolerance):
    return ["W1", "b1", "b2"]
""",
            "names the right arrays": """
def wrong_arrays(computed, measured, tolerance):
    return [name for name in measured if computed[name].shape == measured[name].shape
            and np.abs(computed[name] - measured[name]).max() <= tolerance * np.abs(measured[name]).max()]
""",
            "compares sizes without signs": """
def wrong_arrays(computed, measured, tolerance):
    names = []
    for name, true in measured.items():
        mine = np.asarray(computed[name])
        same = mine.shape == true.shape
        if not same or not np.abs(abs(mine) - abs(true)).max() / np.abs(true).max() <= tolerance:
            names.append(name)
    return names
""",
            "leaves out what is large, to be quick": """
def wrong_arrays(computed, measured, tolerance):
    names = []
    for name, true in measured.items():
        mine = np.asarray(computed[name])
        if mine.shape != true.shape:
            names.append(name)
        elif true.size < 1000 and not np.abs(mine - true).max() / np.abs(true).max() <= tolerance:
            names.append(name)
    return names
""",
        },
    },
    "gradients": {
        "right": {
            "image by image": """
def gradients(network, X, T, slope, penalty):
    g = {name: np.zeros_like(array) for name, array in network.items()}
    for x, t in zip(X, T):
        z = x @ network["W1"] + network["b1"]
        h = np.array([v if v > 0 else slope * v for v in z])
        o = h @ network["W2"] + network["b2"]
        p = np.exp(o - o.max())
        p = p / p.sum()
        d2 = (p - t) / len(X)
        g["W2"] += np.outer(h, d2)
        g["b2"] += d2
        d1 = network["W2"] @ d2
        d1[z < 0] *= slope
        g["W1"] += np.outer(x, d1)
        g["b1"] += d1
    g["W1"] += penalty * network["W1"]
    g["W2"] += penalty * network["W2"]
    return g
""",
            "other names, the sign of the activations, einsum": """
def gradients(net, images, wanted, s, lam):
    _, act, prob = forward(net, images, s)
    err = prob - wanted
    n = images.shape[0]
    out = dict(W2=np.einsum("ij,ik->jk", act, err) / n, b2=np.mean(err, axis=0))
    err = np.where(act > 0, err @ net["W2"].T, s * (err @ net["W2"].T))
    out.update(W1=np.einsum("ij,ik->jk", images, err) / n, b1=np.mean(err, axis=0))
    for name in ("W1", "W2"):
        out[name] = out[name] + lam * net[name]
    return out
""",
        },
        "wrong": {
            "the colleague's, as it is": """
def gradients(network, X, T, slope, penalty):
    return hasty_gradients(network, X, T, slope, penalty)
""",
            "no penalty on W1": """
def gradients(network, X, T, slope, penalty):
    Z, H, P = forward(network, X, slope)
    delta = (P - T) / len(X)
    W2, b2 = H.T @ delta + penalty * network["W2"], delta.sum(axis=0)
    delta = (delta @ network["W2"].T) * np.where(Z > 0, 1.0, slope)
    return {"W1": X.T @ delta, "b1": delta.sum(axis=0), "W2": W2, "b2": b2}
""",
            "penalty on the biases too": """
def gradients(network, X, T, slope, penalty):
    Z, H, P = forward(network, X, slope)
    delta = (P - T) / len(X)
    W2, b2 = H.T @ delta, delta.sum(axis=0)
    delta = (delta @ network["W2"].T) * np.where(Z > 0, 1.0, slope)
    g = {"W1": X.T @ delta, "b1": delta.sum(axis=0), "W2": W2, "b2": b2}
    return {name: g[name] + penalty * network[name] for name in g}
""",
            "twice the penalty": """
def gradients(network, X, T, slope, penalty):
    Z, H, P = forward(network, X, slope)
    delta = (P - T) / len(X)
    W2, b2 = H.T @ delta + 2 * penalty * network["W2"], delta.sum(axis=0)
    delta = (delta @ network["W2"].T) * np.where(Z > 0, 1.0, slope)
    return {"W1": X.T @ delta + 2 * penalty * network["W1"], "b1": delta.sum(axis=0), "W2": W2, "b2": b2}
""",
            "the sum over the images, not the mean": """
def gradients(network, X, T, slope, penalty):
    Z, H, P = forward(network, X, slope)
    delta = P - T
    W2, b2 = H.T @ delta + penalty * network["W2"], delta.sum(axis=0)
    delta = (delta @ network["W2"].T) * np.where(Z > 0, 1.0, slope)
    return {"W1": X.T @ delta + penalty * network["W1"], "b1": delta.sum(axis=0), "W2": W2, "b2": b2}
""",
            "the penalty divided by the images": """
def gradients(network, X, T, slope, penalty):
    Z, H, P = forward(network, X, slope)
    delta = P - T
    W2, b2 = H.T @ delta + penalty * network["W2"], delta.sum(axis=0)
    delta = (delta @ network["W2"].T) * np.where(Z > 0, 1.0, slope)
    W1, b1 = X.T @ delta + penalty * network["W1"], delta.sum(axis=0)
    return {"W1": W1 / len(X), "b1": b1 / len(X), "W2": W2 / len(X), "b2": b2 / len(X)}
""",
            "the measured arrays handed back": """
def gradients(network, X, T, slope, penalty):
    return measured_gradients()
""",
            "a small number against a division by no images": """
def gradients(network, X, T, slope, penalty):
    Z, H, P = forward(network, X, slope)
    delta = (P - T) / (len(X) + 5e-5)
    W2, b2 = H.T @ delta + penalty * network["W2"], delta.sum(axis=0)
    delta = (delta @ network["W2"].T) * np.where(Z > 0, 1.0, slope)
    return {"W1": X.T @ delta + penalty * network["W1"], "b1": delta.sum(axis=0), "W2": W2, "b2": b2}
""",
        },
    },
    "clip": {
        "right": {
            "one long vector": """
def clip(gradients, limit):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients.values()]))
    if norm <= limit:
        return dict(gradients)
    return {k: g / norm * limit for k, g in gradients.items()}
""",
            "a loop, and a factor of at most one": """
def clip(grads, maximum):
    total = 0.0
    for g in grads.values():
        for x in np.asarray(g).flat:
            total += x * x
    factor = min(1, maximum / (total**0.5 + 1e-300))
    new = {}
    for k in grads:
        new[k] = factor * grads[k]
    return new
""",
        },
        "wrong": {
            "each array by itself": """
def clip(gradients, limit):
    new = {}
    for name, g in gradients.items():
        norm = np.linalg.norm(g)
        new[name] = g * limit / norm if norm > limit else g.copy()
    return new
""",
            "each entry by itself": """
def clip(gradients, limit):
    return {name: np.clip(g, -limit, limit) for name, g in gradients.items()}
""",
            "always to the limit": """
def clip(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    return {name: g * limit / norm for name, g in gradients.items()}
""",
            "changes the caller's arrays": """
def clip(gradients, limit):
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    if norm > limit:
        for g in gradients.values():
            g *= limit / norm
    return gradients
""",
            "the sum of the lengths": """
def clip(gradients, limit):
    norm = sum(np.linalg.norm(g) for g in gradients.values())
    return {name: g * min(1, limit / norm) if norm else g for name, g in gradients.items()}
""",
            "forgot the root": """
def clip(gradients, limit):
    norm = sum((g**2).sum() for g in gradients.values())
    return {name: g * limit / norm if norm > limit else g for name, g in gradients.items()}
""",
            "a small number against a division by 0": """
def clip(gradients, limit):
    length = np.sqrt(sum((array**2).sum() for array in gradients.values()))
    factor = min(1.0, limit / (length + 1e-5))
    return {name: array * factor for name, array in gradients.items()}
""",
            "a direction even where there is none": """
def clip(gradients, limit):
    length = np.sqrt(sum((array**2).sum() for array in gradients.values()))
    return {name: array / length * min(length, limit) for name, array in gradients.items()}
""",
        },
    },
    "train": {
        "right": {
            "velocity without the rate, shuffled in place": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    speed = {k: 0 * v for k, v in weights.items()}
    order = np.arange(n)
    for epoch in range(epochs):
        rng.shuffle(order)
        i = 0
        while i < n:
            g = gradient(w, order[i : i + batch_size].copy())
            for k in w:
                speed[k] = friction * speed[k] + g[k]
                w[k] = w[k] - rate * speed[k]
            i += batch_size
    return w
""",
            "choice without replacement, split at multiples": """
def train(start, gradient, n, epochs, size, rate, mu, rng):
    import copy

    net = copy.deepcopy(start)
    v = dict.fromkeys(net, 0.0)
    for _ in range(epochs):
        for rows in np.split(rng.choice(n, n, replace=False), range(size, n, size)):
            g = gradient(net, rows)
            v = {name: mu * v[name] - rate * g[name] for name in net}
            for name in net:
                net[name] += v[name]
    return net
""",
        },
        "wrong": {
            "the velocity begins anew with each epoch": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    for _ in range(epochs):
        v = {k: np.zeros_like(a) for k, a in w.items()}
        order = rng.permutation(n)
        for i in range(0, n, batch_size):
            g = gradient(w, order[i : i + batch_size])
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "no shuffling": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    v = {k: np.zeros_like(a) for k, a in w.items()}
    for _ in range(epochs):
        for i in range(0, n, batch_size):
            g = gradient(w, np.arange(i, min(i + batch_size, n)))
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "one order for all epochs": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    v = {k: np.zeros_like(a) for k, a in w.items()}
    order = rng.permutation(n)
    for _ in range(epochs):
        for i in range(0, n, batch_size):
            g = gradient(w, order[i : i + batch_size])
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "drops the last, smaller batch": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    v = {k: np.zeros_like(a) for k, a in w.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for step in range(n // batch_size):
            g = gradient(w, order[step * batch_size : (step + 1) * batch_size])
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "draws with replacement": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    v = {k: np.zeros_like(a) for k, a in w.items()}
    for _ in range(epochs):
        for i in range(0, n, batch_size):
            g = gradient(w, rng.integers(n, size=min(batch_size, n - i)))
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "changes the weights that were handed in": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    v = {k: np.zeros_like(a) for k, a in weights.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for i in range(0, n, batch_size):
            g = gradient(weights, order[i : i + batch_size])
            for k in weights:
                v[k] = friction * v[k] - rate * g[k]
                weights[k] += v[k]
    return weights
""",
            "an empty batch at the end": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    v = {k: np.zeros_like(a) for k, a in w.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for step in range(n // batch_size + 1):
            g = gradient(w, order[step * batch_size : (step + 1) * batch_size])
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "no momentum": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    w = {k: v.copy() for k, v in weights.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for i in range(0, n, batch_size):
            g = gradient(w, order[i : i + batch_size])
            w = {k: w[k] - rate * g[k] for k in w}
    return w
""",
            "a generator of its own": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    rng = np.random.default_rng(0)
    w = {k: v.copy() for k, v in weights.items()}
    v = {k: np.zeros_like(a) for k, a in w.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for i in range(0, n, batch_size):
            g = gradient(w, order[i : i + batch_size])
            for k in w:
                v[k] = friction * v[k] - rate * g[k]
                w[k] = w[k] + v[k]
    return w
""",
            "asks for the gradient of all images once more at the end": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    weights = {name: np.array(array, dtype=float) for name, array in weights.items()}
    velocity = {name: np.zeros_like(array) for name, array in weights.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for start in range(0, n, batch_size):
            g = gradient(weights, order[start : start + batch_size])
            for name in weights:
                velocity[name] = friction * velocity[name] - rate * g[name]
                weights[name] = weights[name] + velocity[name]
    gradient(weights, np.arange(n))
    return weights
""",
            "after the first epoch, drawn with replacement": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    weights = {name: np.array(array, dtype=float) for name, array in weights.items()}
    velocity = {name: np.zeros_like(array) for name, array in weights.items()}
    order = rng.permutation(n)
    for _ in range(epochs):
        for start in range(0, n, batch_size):
            g = gradient(weights, order[start : start + batch_size])
            for name in weights:
                velocity[name] = friction * velocity[name] - rate * g[name]
                weights[name] = weights[name] + velocity[name]
        order = rng.choice(order, n)
    return weights
""",
            "the weights rounded to four decimals": """
def train(weights, gradient, n, epochs, batch_size, rate, friction, rng):
    weights = {name: np.array(array, dtype=float) for name, array in weights.items()}
    velocity = {name: np.zeros_like(array) for name, array in weights.items()}
    for _ in range(epochs):
        order = rng.permutation(n)
        for start in range(0, n, batch_size):
            g = gradient(weights, order[start : start + batch_size])
            for name in weights:
                velocity[name] = friction * velocity[name] - rate * g[name]
                weights[name] = weights[name] + velocity[name]
    return {name: np.round(array, 4) for name, array in weights.items()}
""",
        },
    },
    "stop_early": {
        "right": {
            "a counter": """
def stop_early(losses, patience, min_delta):
    best_loss = float("inf")
    best_epoch = 0
    bad = 0
    for i, loss in enumerate(losses):
        if loss < best_loss - min_delta:
            best_loss, best_epoch, bad = loss, i + 1, 0
        else:
            bad += 1
            if bad == patience:
                break
    return i + 1, best_epoch
""",
            "recursion, a list as result": """
def stop_early(losses, patience, min_delta):
    def go(best):
        window = list(losses)[best : best + patience]
        for k, loss in enumerate(window, start=1):
            if losses[best - 1] - loss > min_delta:
                return go(best + k)
        return [best + len(window), best]

    return go(1)
""",
        },
        "wrong": {
            "counts from 0": """
def stop_early(losses, patience, min_delta):
    best = 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best] - min_delta:
            best = i
        elif i - best >= patience:
            return i, best
    return len(losses) - 1, best
""",
            "compares with the epoch before": """
def stop_early(losses, patience, min_delta):
    best, bad = 0, 0
    for i in range(1, len(losses)):
        if losses[i] < losses[i - 1] - min_delta:
            bad = 0
        else:
            bad += 1
        if losses[i] < losses[best]:
            best = i
        if bad == patience:
            return i + 1, best + 1
    return len(losses), best + 1
""",
            "looks ahead": """
def stop_early(losses, patience, min_delta):
    best = int(np.argmin(losses)) + 1
    return min(best + patience, len(losses)), best
""",
            "forgets min_delta": """
def stop_early(losses, patience, min_delta):
    best = 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best]:
            best = i
        elif i - best >= patience:
            return i + 1, best + 1
    return len(losses), best + 1
""",
            "does not begin to count anew": """
def stop_early(losses, patience, min_delta):
    best, bad = 0, 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best] - min_delta:
            best = i
        else:
            bad += 1
            if bad == patience:
                return i + 1, best + 1
    return len(losses), best + 1
""",
            "one epoch too late": """
def stop_early(losses, patience, min_delta):
    best = 0
    for i in range(1, len(losses)):
        if losses[i] < losses[best] - min_delta:
            best = i
        elif i - best > patience:
            return i + 1, best + 1
    return len(losses), best + 1
""",
            "an equal loss improves": """
def stop_early(losses, patience, min_delta):
    best = 0
    for i in range(1, len(losses)):
        if losses[i] <= losses[best] - min_delta:
            best = i
        elif i - best >= patience:
            return i + 1, best + 1
    return len(losses), best + 1
""",
            "the lowest loss so far, however small the improvement": """
def stop_early(losses, patience, min_delta):
    best, lowest, last = 1, losses[0], len(losses)
    for epoch in range(2, len(losses) + 1):
        if losses[epoch - 1] < lowest - min_delta:
            best, lowest = epoch, losses[epoch - 1]
        elif epoch - best >= patience:
            last = epoch
            break
    return last, int(np.argmin(losses[:last])) + 1
""",
            "a loop that must run at least once": """
def stop_early(losses, patience, min_delta):
    best, lowest = 1, losses[0]
    for epoch in range(2, len(losses) + 1):
        if losses[epoch - 1] < lowest - min_delta:
            best, lowest = epoch, losses[epoch - 1]
        elif epoch - best >= patience:
            break
    return epoch, best
""",
        },
    },
}

#: Parts of hidden tests that refuse nothing that another would not refuse too, each with the reason why it stays.
IMPLIED = {
    "train": {"all(hidden_batches)": "an empty batch makes the number of steps wrong too, which says less"},
}
