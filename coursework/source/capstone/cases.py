"""Answers to the tasks of the capstone that grade its graders: right ones written otherwise, wrong ones that students give."""

# What several readers below share; a student would have written it into the same cell.
CENTRE = """
def to_middle(scans, cut=40):
    ink = np.where(np.asarray(scans) > cut, scans, 0).astype(np.float32)
    out = np.zeros((len(ink), 784), np.float32)
    rows, columns = np.mgrid[:28, :28]
    for i, image in enumerate(ink):
        total = max(image.sum(), 1)
        down = 13.5 - (rows * image).sum() / total
        right = 13.5 - (columns * image).sum() / total
        out[i] = moved(image[None], 0, down, right).ravel()
    return out


def unit_length(vectors):
    return 9 * vectors / np.maximum(np.linalg.norm(vectors, axis=1), 1)[:, None]
"""

AUGMENT = """
def with_copies(images, labels, copies, angle, shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    copied = moved(repeated, rng.uniform(-angle, angle, n), rng.uniform(-shift, shift, n), rng.uniform(-shift, shift, n))
    return np.concatenate([images, copied.astype(np.uint8)]), np.concatenate([labels, np.repeat(labels, copies)])
"""

CASES = {
    "augment": {
        "right": {
            "a loop, one image at a time, lists": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    new_images, new_labels = list(images), list(labels)
    for image, label in zip(images, labels):
        for _ in range(copies):
            angle = rng.uniform(-max_angle, max_angle)
            down = rng.uniform(-max_shift, max_shift)
            right = rng.uniform(-max_shift, max_shift)
            one = moved(image[None], [angle], [down], [right])[0]
            new_images.append(np.round(one).astype(np.uint8))
            new_labels.append(int(label))
    return np.array(new_images), np.array(new_labels)
""",
            "one round of copies after the other, and int32 labels": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    n = len(images)
    parts = [images]
    for _ in range(copies):
        u = 2 * rng.random((3, n)) - 1
        parts.append(np.clip(moved(images, max_angle * u[0], max_shift * u[1], max_shift * u[2]) + 0.5, 0, 255).astype("uint8"))
    return np.vstack(parts), np.tile(np.asarray(labels, np.int32), copies + 1)
""",
            "scipy turns and shifts": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    from scipy import ndimage

    xs, ys = [image for image in images], [label for label in labels]
    for image, label in zip(images, labels):
        for _ in range(copies):
            turned = ndimage.rotate(image.astype(float), rng.uniform(-max_angle, max_angle), reshape=False, order=1)
            by = rng.uniform(-max_shift, max_shift, 2)
            xs.append(np.clip(np.rint(ndimage.shift(turned, by, order=1)), 0, 255).astype(np.uint8))
            ys.append(label)
    return np.stack(xs), np.array(ys)
""",
        },
        "wrong": {
            "images repeated, labels tiled": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = rng.uniform(-max_angle, max_angle, n)
    down, right = rng.uniform(-max_shift, max_shift, (2, n))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.tile(labels, copies)])
""",
            "one angle for all copies": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = rng.uniform(-max_angle, max_angle)
    down, right = rng.uniform(-max_shift, max_shift, (2, n))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "turns one way only": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = rng.uniform(0, max_angle, n)
    down, right = rng.uniform(-max_shift, max_shift, (2, n))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "the same shift down and to the right": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = rng.uniform(-max_angle, max_angle, n)
    down, right = [rng.uniform(-max_shift, max_shift, n)] * 2
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "radians for degrees": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = np.radians(rng.uniform(-max_angle, max_angle, n))
    down, right = rng.uniform(-max_shift, max_shift, (2, n))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "forgot the originals": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = rng.uniform(-max_angle, max_angle, n)
    down, right = rng.uniform(-max_shift, max_shift, (2, n))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return copied, np.repeat(labels, copies)
""",
            "a generator of its own": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    rng = np.random.default_rng()
    repeated = np.repeat(images, copies, axis=0)
    n = len(repeated)
    angles = rng.uniform(-max_angle, max_angle, n)
    down, right = rng.uniform(-max_shift, max_shift, (2, n))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "np.roll shifts, so ink comes back on the other side": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    xs, ys = list(images), list(labels)
    for image, label in zip(images, labels):
        for _ in range(copies):
            one = moved(image[None], rng.uniform(-max_angle, max_angle), 0, 0)[0]
            down, right = (int(round(v)) for v in rng.uniform(-max_shift, max_shift, 2))
            xs.append(np.roll(one, (down, right), axis=(0, 1)).astype(np.uint8))
            ys.append(label)
    return np.array(xs), np.array(ys)
""",
            "shifts up to a fifth too far": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle, max_angle, len(repeated))
    down, right = 1.2 * rng.uniform(-max_shift, max_shift, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "hardly up and to the left": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle, max_angle, len(repeated))
    down, right = rng.uniform(-max_shift / 4, max_shift, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "hardly down and to the right": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle, max_angle, len(repeated))
    down, right = rng.uniform(-max_shift, max_shift / 4, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "whole pixels only": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle, max_angle, len(repeated))
    down, right = rng.integers(-max_shift, max_shift + 1, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "the same shifts for the copies of every image": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle, max_angle, len(repeated))
    down, right = np.tile(rng.uniform(-max_shift, max_shift, (2, copies)), len(images))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "angles up to a fifth too far": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = 1.2 * rng.uniform(-max_angle, max_angle, len(repeated))
    down, right = rng.uniform(-max_shift, max_shift, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "hardly to the left": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle / 4, max_angle, len(repeated))
    down, right = rng.uniform(-max_shift, max_shift, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "hardly to the right": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = rng.uniform(-max_angle, max_angle / 4, len(repeated))
    down, right = rng.uniform(-max_shift, max_shift, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "the same angles for the copies of every image": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    repeated = np.repeat(images, copies, axis=0)
    angles = np.tile(rng.uniform(-max_angle, max_angle, copies), len(images))
    down, right = rng.uniform(-max_shift, max_shift, (2, len(repeated)))
    copied = np.clip(np.rint(moved(repeated, angles, down, right)), 0, 255).astype(np.uint8)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
            "what leaves at one edge comes in at the other, fractions and all": """
def augment(images, labels, copies, max_angle, max_shift, rng):
    from scipy import ndimage

    repeated = np.repeat(images, copies, axis=0)
    copied = []
    for image in moved(repeated, rng.uniform(-max_angle, max_angle, len(repeated)), 0, 0):
        copied.append(ndimage.shift(image, rng.uniform(-max_shift, max_shift, 2), order=1, mode="grid-wrap"))
    copied = np.clip(np.rint(copied), 0, 255).astype(np.uint8).reshape(-1, 28, 28)
    return np.concatenate([images, copied]), np.concatenate([labels, np.repeat(labels, copies)])
""",
        },
    },
    "choose": {
        "right": {
            "plain loops": """
def choose(candidates, max_units, max_bytes):
    best = -1
    for c in candidates:
        if c["units"] <= max_units and c["bytes"] <= max_bytes:
            best = max(best, sum(c["right"]) / len(c["right"]))
    winner = None
    for c in candidates:
        a = sum(c["right"]) / len(c["right"])
        if c["units"] > max_units or c["bytes"] > max_bytes:
            continue
        if a < best - (best * (1 - best) / len(c["right"])) ** 0.5:
            continue
        if winner is None or c["bytes"] < winner["bytes"]:
            winner = c
        elif c["bytes"] == winner["bytes"] and sum(c["right"]) > sum(winner["right"]):
            winner = c
    return winner["name"] if winner else None
""",
            "a table of pandas": """
def choose(candidates, max_units, max_bytes):
    import pandas as pd

    table = pd.DataFrame(candidates)
    table["accuracy"] = table["right"].map(np.mean)
    table = table[(table["units"] <= max_units) & (table["bytes"] <= max_bytes)]
    if table.empty:
        return None
    a, n = table["accuracy"].max(), len(candidates[0]["right"])
    table = table[table["accuracy"] >= a - np.sqrt(a * (1 - a) / n)]
    return str(table.sort_values(["bytes", "accuracy"], ascending=[True, False])["name"].iloc[0])
""",
        },
        "wrong": {
            "the most accurate one within the budget": """
def choose(candidates, max_units, max_bytes):
    allowed = [c for c in candidates if c["units"] <= max_units and c["bytes"] <= max_bytes]
    if not allowed:
        return None
    best = max(np.mean(c["right"]) for c in allowed)
    least = best - np.sqrt(best * (1 - best) / len(allowed[0]["right"]))
    return max(allowed, key=lambda c: np.mean(c["right"]))["name"]
""",
            "a candidate over the budget sets the standard": """
def choose(candidates, max_units, max_bytes):
    best = max(np.mean(c["right"]) for c in candidates)
    least = best - np.sqrt(best * (1 - best) / len(candidates[0]["right"]))
    good = [c for c in candidates if np.mean(c["right"]) >= least and c["units"] <= max_units and c["bytes"] <= max_bytes]
    return min(good, key=lambda c: (c["bytes"], -np.mean(c["right"])))["name"] if good else None
""",
            "a standard error without its root": """
def choose(candidates, max_units, max_bytes):
    allowed = [c for c in candidates if c["units"] <= max_units and c["bytes"] <= max_bytes]
    if not allowed:
        return None
    best = max(np.mean(c["right"]) for c in allowed)
    least = best - best * (1 - best) / len(allowed[0]["right"])
    return min((c for c in allowed if np.mean(c["right"]) >= least), key=lambda c: (c["bytes"], -np.mean(c["right"])))["name"]
""",
            "a standard deviation of single answers": """
def choose(candidates, max_units, max_bytes):
    allowed = [c for c in candidates if c["units"] <= max_units and c["bytes"] <= max_bytes]
    if not allowed:
        return None
    best = max(np.mean(c["right"]) for c in allowed)
    least = best - np.std(max(allowed, key=lambda c: np.mean(c["right"]))["right"])
    return min((c for c in allowed if np.mean(c["right"]) >= least), key=lambda c: (c["bytes"], -np.mean(c["right"])))["name"]
""",
            "the smallest within the budget": """
def choose(candidates, max_units, max_bytes):
    allowed = [c for c in candidates if c["units"] <= max_units and c["bytes"] <= max_bytes]
    if not allowed:
        return None
    best = max(np.mean(c["right"]) for c in allowed)
    least = best - np.sqrt(best * (1 - best) / len(allowed[0]["right"]))
    return min(allowed, key=lambda c: c["bytes"])["name"]
""",
            "forgot the processor time": """
def choose(candidates, max_units, max_bytes):
    allowed = [c for c in candidates if c["bytes"] <= max_bytes]
    if not allowed:
        return None
    best = max(np.mean(c["right"]) for c in allowed)
    least = best - np.sqrt(best * (1 - best) / len(allowed[0]["right"]))
    return min((c for c in allowed if np.mean(c["right"]) >= least), key=lambda c: (c["bytes"], -np.mean(c["right"])))["name"]
""",
            "returns the candidate, not its name": """
def choose(candidates, max_units, max_bytes):
    allowed = [c for c in candidates if c["units"] <= max_units and c["bytes"] <= max_bytes]
    if not allowed:
        return None
    best = max(np.mean(c["right"]) for c in allowed)
    least = best - np.sqrt(best * (1 - best) / len(allowed[0]["right"]))
    return min((c for c in allowed if np.mean(c["right"]) >= least), key=lambda c: c["bytes"])
""",
            "the first of those that are equally small": """
def choose(candidates, max_units, max_bytes):
    allowed = [one for one in candidates if one["units"] <= max_units and one["bytes"] <= max_bytes]
    if not allowed:
        return None
    accuracy = {one["name"]: np.mean(one["right"]) for one in allowed}
    best = max(accuracy.values())
    least = best - np.sqrt(best * (1 - best) / len(allowed[0]["right"]))
    good = [one for one in allowed if accuracy[one["name"]] >= least]
    return min(good, key=lambda one: one["bytes"])["name"]
""",
            "below the budget instead of within it": """
def choose(candidates, max_units, max_bytes):
    allowed = [one for one in candidates if one["units"] < max_units and one["bytes"] < max_bytes]
    if not allowed:
        return None
    accuracy = {one["name"]: np.mean(one["right"]) for one in allowed}
    best = max(accuracy.values())
    least = best - np.sqrt(best * (1 - best) / len(allowed[0]["right"]))
    good = [one for one in allowed if accuracy[one["name"]] >= least]
    return min(good, key=lambda one: (one["bytes"], -accuracy[one["name"]]))["name"]
""",
        },
    },
    "flattery": {
        "right": {
            "exact, from the binomial distribution": """
def flattery(accuracy, readers, n, rng, contests=4000):

    from scipy.stats import binom

    k = np.arange(n)
    return np.sum(1 - binom.cdf(k, n, accuracy) ** readers) / n - accuracy
""",
            "a loop over contests and single scans": """
def flattery(accuracy, readers, n, rng, contests=4000):

    excess = []
    for _ in range(min(contests, 1500)):
        shares = (rng.random((readers, n), dtype=np.float32) < accuracy).mean(axis=1)
        excess.append(max(shares) - accuracy)
    return np.float32(np.mean(excess))
""",
        },
        "wrong": {
            "the winner's accuracy itself": """
def flattery(accuracy, readers, n, rng, contests=4000):
    return rng.binomial(n, accuracy, (contests, readers)).max(axis=1).mean() / n
""",
            "the mean of all readers": """
def flattery(accuracy, readers, n, rng, contests=4000):
    return rng.binomial(n, accuracy, (contests, readers)).mean() / n - accuracy
""",
            "the best of all contests": """
def flattery(accuracy, readers, n, rng, contests=4000):
    return rng.binomial(n, accuracy, (contests, readers)).max() / n - accuracy
""",
            "the maximum along the wrong axis": """
def flattery(accuracy, readers, n, rng, contests=4000):
    return rng.binomial(n, accuracy, (contests, readers)).max(axis=0).mean() / n - accuracy
""",
            "one standard error, however many take part": """
def flattery(accuracy, readers, n, rng, contests=4000):
    return np.sqrt(accuracy * (1 - accuracy) / n) * (readers > 1)
""",
            "all readers share their luck": """
def flattery(accuracy, readers, n, rng, contests=4000):
    right = np.repeat(rng.binomial(n, accuracy, (contests, 1)), readers, axis=1)
    return right.max(axis=1).mean() / n - accuracy
""",
            "the formula for very many readers": """
def flattery(accuracy, readers, n, rng, contests=4000):
    return float(np.sqrt(2 * np.log(readers) * accuracy * (1 - accuracy) / n))
""",
            "readers of nine in ten, whatever the accuracy": """
def flattery(accuracy, readers, n, rng, contests=4000):
    right = rng.binomial(n, 0.9, size=(contests, readers))
    return float(right.max(axis=1).mean() / n - accuracy)
""",
        },
    },
    "small": {
        "right": {
            "a loop that centres, a dict as model": CENTRE
            + """
def fit_small(images, labels, rng):
    from sklearn.linear_model import LogisticRegression

    m = LogisticRegression(C=0.1, max_iter=100).fit(unit_length(to_middle(images)), labels)
    return {"w": m.coef_.astype(np.float32), "b": m.intercept_.astype(np.float32), "names": m.classes_}


def read_small(model, scans):
    return model["names"][(unit_length(to_middle(scans)) @ model["w"].T + model["b"]).argmax(axis=1)]
""",
            "principal components and the mean of each digit": CENTRE
            + """
def fit_small(images, labels, rng):
    features = unit_length(to_middle(images))
    names = np.unique(labels)
    model = PrototypeReader()
    model.mean = features.mean(axis=0).astype(np.float16)
    model.axes = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)[2][:16].astype(np.float16)
    z = (features - model.mean) @ model.axes.T
    model.names = names
    model.centres = np.array([z[labels == name].mean(axis=0) for name in names], np.float32)
    within = np.cov((z - model.centres[np.searchsorted(names, labels)]).T)
    model.whiten = np.linalg.inv(np.linalg.cholesky(within)).astype(np.float32)
    return model


def read_small(model, scans):
    z = (unit_length(to_middle(scans)) - model.mean) @ model.axes.T
    distance = np.linalg.norm((z[:, None] - model.centres) @ model.whiten.T, axis=2)
    return model.names[distance.argmin(axis=1)]


class PrototypeReader:
    pass
""",
            "a pipeline of scikit-learn, scans made smaller": CENTRE
            + """
def fit_small(images, labels, rng):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(quarters), LogisticRegression(max_iter=60)).fit(images, labels)


def read_small(model, scans):
    return model.predict(scans).astype(np.float64)


def quarters(scans):
    return unit_length(to_middle(scans)).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196)[:, 14:-14]
""",
        },
        "wrong": {
            "raw pixels": """
def fit_small(images, labels, rng):
    from sklearn.linear_model import LogisticRegression

    m = LogisticRegression(C=0.1, max_iter=100).fit((images.reshape(len(images), 784) / 255), labels)
    return {"w": m.coef_.astype(np.float32), "b": m.intercept_.astype(np.float32), "names": m.classes_}


def read_small(model, scans):
    return model["names"][((scans.reshape(len(scans), 784) / 255) @ model["w"].T + model["b"]).argmax(axis=1)]
""",
            "raw pixels, with copies": AUGMENT
            + """
def fit_small(images, labels, rng):
    images, labels = with_copies(images, labels, 2, 25, 2, rng)
    from sklearn.linear_model import LogisticRegression

    m = LogisticRegression(C=0.1, max_iter=100).fit(images.reshape(-1, 784) / 255, labels)
    return {"w": m.coef_.astype(np.float32), "b": m.intercept_.astype(np.float32), "names": m.classes_}


def read_small(model, scans):
    return model["names"][((scans.reshape(-1, 784) / 255) @ model["w"].T + model["b"]).argmax(axis=1)]
""",
            "eight bytes a weight: too large": CENTRE
            + """
def fit_small(images, labels, rng):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1, max_iter=100).fit(unit_length(to_middle(images)).astype(np.float64), labels)


def read_small(model, scans):
    return model.predict(unit_length(to_middle(scans)).astype(np.float64))
""",
            "the training images wait outside the model": CENTRE
            + """
def fit_small(images, labels, rng):
    return 3


def read_small(model, scans):
    from sklearn.neighbors import KNeighborsClassifier

    nearest = KNeighborsClassifier(model).fit(unit_length(to_middle(train_images)), train_labels)
    return nearest.predict(unit_length(to_middle(scans)))
""",
            "learns from the labels of the notebook, not from its argument": CENTRE
            + """
def fit_small(images, labels, rng):
    from sklearn.linear_model import LogisticRegression

    m = LogisticRegression(C=0.1, max_iter=100).fit(unit_length(to_middle(images)), train_labels)
    return {"w": m.coef_.astype(np.float32), "b": m.intercept_.astype(np.float32), "names": m.classes_}


def read_small(model, scans):
    return model["names"][(unit_length(to_middle(scans)) @ model["w"].T + model["b"]).argmax(axis=1)]
""",
            "learns from the validation scans as well": CENTRE
            + """
def fit_small(images, labels, rng):
    images, labels = np.concatenate([images, validation_scans]), np.concatenate([labels, validation_labels])
    from sklearn.linear_model import LogisticRegression

    m = LogisticRegression(C=0.1, max_iter=100).fit(unit_length(to_middle(images)), labels)
    return {"w": m.coef_.astype(np.float32), "b": m.intercept_.astype(np.float32), "names": m.classes_}


def read_small(model, scans):
    return model["names"][(unit_length(to_middle(scans)) @ model["w"].T + model["b"]).argmax(axis=1)]
""",
            "a search inside fit: too slow": CENTRE
            + """
def fit_small(images, labels, rng):
    from sklearn.linear_model import LogisticRegressionCV

    features = unit_length(to_middle(np.repeat(images, 2, axis=0)))
    m = LogisticRegressionCV(Cs=8, cv=4, max_iter=300).fit(features, np.repeat(labels, 2))
    return {"w": m.coef_.astype(np.float32), "b": m.intercept_.astype(np.float32), "names": m.classes_}


def read_small(model, scans):
    return model["names"][(unit_length(to_middle(scans)) @ model["w"].T + model["b"]).argmax(axis=1)]
""",
        },
    },
    "best": {
        "right": {
            "another form of the model: a dict, and more copies": AUGMENT
            + CENTRE
            + """
def fit_best(images, labels, rng):
    from sklearn.decomposition import PCA
    from sklearn.svm import SVC

    images, labels = with_copies(images, labels, 3, 25, 0, rng)
    features = unit_length(to_middle(images))
    axes = PCA(30, random_state=0).fit(features)
    return {"axes": axes, "machine": SVC(C=10, gamma=0.02).fit(axes.transform(features), labels)}


def read_best(model, scans):
    return model["machine"].predict(model["axes"].transform(unit_length(to_middle(scans)))).tolist()
""",
            "neighbours of centred copies, in few numbers each": AUGMENT
            + CENTRE
            + """
def fit_best(images, labels, rng):
    images, labels = with_copies(images, labels, 3, 25, 0, rng)
    features = unit_length(to_middle(images))
    mean = features.mean(axis=0)
    axes = np.linalg.eigh(np.cov((features - mean).T))[1][:, -40:].astype(np.float32)
    return mean, axes, ((features - mean) @ axes).astype(np.float32), labels.astype(np.int8)


def read_best(model, scans):
    from sklearn.neighbors import KNeighborsClassifier

    mean, axes, stored, labels = model
    nearest = KNeighborsClassifier(3, weights="distance").fit(stored, labels)
    return nearest.predict((unit_length(to_middle(scans)) - mean) @ axes)
""",
        },
        "wrong": {
            "a support vector machine on raw pixels": """
def fit_best(images, labels, rng):
    from sklearn.svm import SVC

    return SVC(C=5, gamma=0.02).fit(images.reshape(-1, 784) / np.float32(255), labels)


def read_best(model, scans):
    return model.predict(scans.reshape(-1, 784) / np.float32(255))
""",
            "the old reader, centred": CENTRE
            + """
def fit_best(images, labels, rng):
    return to_middle(images, 0).astype(np.uint8), labels


def read_best(model, scans):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(3).fit(model[0].astype(float), model[1]).predict(to_middle(scans, 0))
""",
            "copies, but compared pixel by pixel where they stand": AUGMENT
            + """
def fit_best(images, labels, rng):
    from sklearn.decomposition import PCA
    from sklearn.svm import SVC

    images, labels = with_copies(images, labels, 1, 25, 3, rng)
    axes = PCA(40, random_state=0).fit(images.reshape(-1, 784) / 255)
    return axes, SVC(C=5, gamma=0.02).fit(axes.transform(images.reshape(-1, 784) / 255), labels)


def read_best(model, scans):
    return model[1].predict(model[0].transform(scans.reshape(-1, 784) / 255))
""",
            "good, but too large": CENTRE
            + """
def fit_best(images, labels, rng):
    from sklearn.svm import SVC

    return SVC(C=5, gamma=0.02).fit(unit_length(to_middle(images)), labels)


def read_best(model, scans):
    return model.predict(unit_length(to_middle(scans)))
""",
            "knows the digits by their old names": AUGMENT
            + CENTRE
            + """
def fit_best(images, labels, rng):
    from sklearn.decomposition import PCA
    from sklearn.svm import SVC

    images, labels = with_copies(images, np.load("capstone_data.npz")["train_labels"], 2, 25, 0, rng)
    features = unit_length(to_middle(images))
    axes = PCA(40, random_state=0).fit(features)
    return axes, SVC(C=5, gamma=0.02).fit(axes.transform(features), labels)


def read_best(model, scans):
    return model[1].predict(model[0].transform(unit_length(to_middle(scans))))
""",
            "returns probabilities": """
def fit_best(images, labels, rng):
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    axes = PCA(40, random_state=0).fit(images.reshape(-1, 784) / 255)
    return axes, LogisticRegression(max_iter=50).fit(axes.transform(images.reshape(-1, 784) / 255), labels)


def read_best(model, scans):
    return model[1].predict_proba(model[0].transform(scans.reshape(-1, 784) / 255))
""",
        },
    },
    "report": {
        "right": {
            "statsmodels": """
def report(right_new, right_old):
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.proportion import proportion_confint

    a, b = np.asarray(right_new), np.asarray(right_old)
    low, high = proportion_confint(a.sum(), a.size, method="wilson")
    table = [[np.sum(a & b), np.sum(a & ~b)], [np.sum(~a & b), np.sum(~a & ~b)]]
    p = 1.0 if np.array_equal(a, b) else mcnemar(table, exact=True).pvalue
    return dict(accuracy=a.mean(), low=low, high=high, only_new=table[0][1], only_old=table[1][0], p_value=p)
""",
            "plain Python, and the roots of the quadratic": """
def report(right_new, right_old):
    from math import comb

    n, k = len(right_new), sum(map(bool, right_new))
    a = sum(1 for x, y in zip(right_new, right_old) if x and not y)
    c = sum(1 for x, y in zip(right_new, right_old) if y and not x)
    z2 = 1.96**2
    low, high = sorted(np.roots([1 + z2 / n, -(2 * k / n + z2 / n), (k / n) ** 2]).real)
    tail = sum(comb(a + c, i) for i in range(max(a, c), a + c + 1))
    return {"accuracy": k / n, "low": low, "high": high, "only_new": a, "only_old": c, "p_value": min(1, 2 * tail / 2 ** (a + c))}
""",
            "scipy does the tests": """
def report(right_new, right_old):
    from scipy.stats import binomtest

    a, b = np.array(right_new, bool), np.array(right_old, bool)
    interval = binomtest(int(a.sum()), len(a)).proportion_ci(method="wilson")
    more, less = int((a > b).sum()), int((b > a).sum())
    p = binomtest(more, more + less).pvalue if more + less else 1
    return {"accuracy": a.mean(), "low": interval.low, "high": interval.high, "only_new": more, "only_old": less, "p_value": p}
""",
        },
        "wrong": {
            "the simple interval": """
def report(right_new, right_old):
    from scipy.stats import binom, chi2, norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), a.mean(), 1.96
    centre, half = q, z * np.sqrt(q * (1 - q) / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = min(1.0, 2 * binom.cdf(min(x, y), x + y, 0.5))
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "Wilson's width around the accuracy itself": """
def report(right_new, right_old):
    from scipy.stats import binom, chi2, norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), a.mean(), 1.96
    centre = q
    half = z * np.sqrt(q * (1 - q) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = min(1.0, 2 * binom.cdf(min(x, y), x + y, 0.5))
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "one-sided": """
def report(right_new, right_old):
    from scipy.stats import binom, chi2, norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), a.mean(), 1.96
    centre = (q + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(q * (1 - q) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = min(1.0, binom.cdf(min(x, y), x + y, 0.5))
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "p-values above 1": """
def report(right_new, right_old):
    from scipy.stats import binom, chi2, norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), a.mean(), 1.96
    centre = (q + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(q * (1 - q) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = 2 * binom.cdf(min(x, y), x + y, 0.5)
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "chi-square in place of the exact test": """
def report(right_new, right_old):
    from scipy.stats import binom, chi2, norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), a.mean(), 1.96
    centre = (q + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(q * (1 - q) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = chi2.sf((abs(x - y) - 1) ** 2 / (x + y), 1) if x + y else 1
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "the old reader's accuracy": """
def report(right_new, right_old):
    from scipy.stats import binom, chi2, norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), b.mean(), 1.96
    centre = (q + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(q * (1 - q) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = min(1.0, 2 * binom.cdf(min(x, y), x + y, 0.5))
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "not paired: two shares compared": """
def report(right_new, right_old):
    from scipy.stats import norm

    a, b = np.asarray(right_new, bool), np.asarray(right_old, bool)
    n, q, z = len(a), a.mean(), 1.96
    centre = (q + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(q * (1 - q) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    x, y = int((a & ~b).sum()), int((~a & b).sum())
    p = 2 * norm.sf(abs(a.mean() - b.mean()) / np.sqrt((a.var() + b.var()) / n)) if x + y else 1
    return {"accuracy": q, "low": centre - half, "high": centre + half, "only_new": x, "only_old": y, "p_value": float(p)}
""",
            "two standard errors in place of 1.96": """
def report(right_new, right_old):
    from scipy.stats import binom

    n, p, z = len(right_new), right_new.mean(), 2
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    only_new, only_old = int((right_new & ~right_old).sum()), int((~right_new & right_old).sum())
    p_value = min(1.0, 2 * binom.cdf(min(only_new, only_old), only_new + only_old, 0.5))
    result = {"accuracy": p, "low": centre - half, "high": centre + half}
    return {**result, "only_new": only_new, "only_old": only_old, "p_value": p_value}
""",
            "the accuracy rounded to five decimals": """
def report(right_new, right_old):
    from scipy.stats import binom

    n, p, z = len(right_new), right_new.mean(), 1.96
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    only_new, only_old = int((right_new & ~right_old).sum()), int((~right_new & right_old).sum())
    p_value = min(1.0, 2 * binom.cdf(min(only_new, only_old), only_new + only_old, 0.5))
    result = {"accuracy": round(p, 5), "low": centre - half, "high": centre + half}
    return {**result, "only_new": only_new, "only_old": only_old, "p_value": p_value}
""",
            "the larger count first": """
def report(right_new, right_old):
    from scipy.stats import binom

    n, p, z = len(right_new), right_new.mean(), 1.96
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    only_new, only_old = int((right_new & ~right_old).sum()), int((~right_new & right_old).sum())
    p_value = min(1.0, 2 * binom.cdf(min(only_new, only_old), only_new + only_old, 0.5))
    result = {"accuracy": p, "low": centre - half, "high": centre + half}
    return {**result, "only_new": max(only_new, only_old), "only_old": min(only_new, only_old), "p_value": p_value}
""",
            "the p-value in single precision": """
def report(right_new, right_old):
    from scipy.stats import binom

    n, p, z = len(right_new), right_new.mean(), 1.96
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    only_new, only_old = int((right_new & ~right_old).sum()), int((~right_new & right_old).sum())
    p_value = min(1.0, 2 * binom.cdf(min(only_new, only_old), only_new + only_old, 0.5))
    result = {"accuracy": p, "low": centre - half, "high": centre + half}
    return {**result, "only_new": only_new, "only_old": only_old, "p_value": float(np.float32(p_value))}
""",
            "one-sided, and doubled": """
def report(right_new, right_old):
    from scipy.stats import binom

    n, p, z = len(right_new), right_new.mean(), 1.96
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    only_new, only_old = int((right_new & ~right_old).sum()), int((~right_new & right_old).sum())
    p_value = min(1.0, 2 * binom.cdf(only_old, only_new + only_old, 0.5))
    result = {"accuracy": p, "low": centre - half, "high": centre + half}
    return {**result, "only_new": only_new, "only_old": only_old, "p_value": p_value}
""",
        },
    },
}

#: Parts of hidden tests that refuse nothing that another would not refuse too, each with the reason why it stays.
IMPLIED = {
    "small": {
        "lab.keep_to(300, size, result)": "the visible test weighs the same reader; kept for one that weighs more elsewhere"
    },
    "best": {
        "lab.keep_to(600, size, result)": "the visible test weighs the same reader; kept for one that weighs more elsewhere"
    },
}
