"""Answers that grade the graders of the assignment on preprocessing: right ones written otherwise, and wrong ones."""

CASES = {
    "images_that_fit": {
        "right": {
            "an array's own nbytes": """
def images_that_fit(megabytes, side, dtype):
    one = np.zeros((side, side), dtype=dtype)
    return int(megabytes * 1e6) // one.nbytes
""",
            "counts in bits, with NumPy integers": """
def images_that_fit(megabytes, side, dtype):
    bits = np.int64(side) ** 2 * np.zeros(1, dtype).itemsize * 8
    return np.int64(megabytes) * 8 * 10**6 // bits
""",
            "rounds a quotient down": """
def images_that_fit(megabytes, side, dtype):
    import math
    return math.floor(megabytes * 1000000 / (side * side * np.dtype(dtype).itemsize))
""",
        },
        "wrong": {
            "one byte for every type": """
def images_that_fit(megabytes, side, dtype):
    return megabytes * 1_000_000 // (side * side)
""",
            "forgot that an image has rows and columns": """
def images_that_fit(megabytes, side, dtype):
    return megabytes * 1_000_000 // (side * np.dtype(dtype).itemsize)
""",
            "megabytes of 1024 times 1024 bytes": """
def images_that_fit(megabytes, side, dtype):
    return megabytes * 1024 * 1024 // (side * side * np.dtype(dtype).itemsize)
""",
            "rounds up": """
def images_that_fit(megabytes, side, dtype):
    return int(np.ceil(megabytes * 1_000_000 / (side * side * np.dtype(dtype).itemsize)))
""",
            "always 28 by 28": """
def images_that_fit(megabytes, side, dtype):
    return megabytes * 1_000_000 // (784 * np.dtype(dtype).itemsize)
""",
            "takes bits for bytes": """
def images_that_fit(megabytes, side, dtype):
    return megabytes * 1_000_000 // (side * side * np.dtype(dtype).itemsize * 8)
""",
            "a table of the three types that the text names": """
def images_that_fit(megabytes, side, dtype):
    size = {"float32": 4, "float64": 8}.get(np.dtype(dtype).name, 1)
    return megabytes * 1_000_000 // (side * side * size)
""",
            "an exact fit is one too many": """
def images_that_fit(megabytes, side, dtype):
    count = 0
    while (count + 1) * side * side * np.dtype(dtype).itemsize < megabytes * 1_000_000:
        count += 1
    return count
""",
        },
    },
    "diagnose": {
        "right": {
            "loops over the border": """
def diagnose(scan, faintest):
    values = {int(pixel) for row in scan for pixel in row}
    if len(values) == 1:
        return "empty"
    border = [scan[0, i] for i in range(28)] + [scan[27, i] for i in range(28)]
    if sum(int(pixel) for pixel in border) / len(border) > 127:
        return "inverted"
    return "faint" if max(values) <= faintest else "good"
""",
            "the median tells paper from ink": """
def diagnose(image, faintest):
    pixels = np.asarray(image, dtype=np.float32).ravel()
    if np.ptp(pixels) == 0:
        answer = "empty"
    elif np.median(pixels) > pixels.max() / 2:
        answer = "inverted"
    elif pixels.max() < faintest + 1:
        answer = "faint"
    else:
        answer = "good"
    return np.str_(answer)
""",
        },
        "wrong": {
            "empty means zero": """
def diagnose(scan, faintest):
    if scan.max() == 0:
        return "empty"
    if scan.mean() > 127:
        return "inverted"
    return "faint" if scan.max() <= faintest else "good"
""",
            "faint means little ink on average": """
def diagnose(scan, faintest):
    if scan.min() == scan.max():
        return "empty"
    if scan.mean() > 127:
        return "inverted"
    return "faint" if scan.mean() <= faintest else "good"
""",
            "good means black": """
def diagnose(scan, faintest):
    if scan.min() == scan.max():
        return "empty"
    if scan.mean() > 127:
        return "inverted"
    return "good" if scan.max() >= 250 else "faint"
""",
            "asks for inverted first": """
def diagnose(scan, faintest):
    if scan.mean() > 127:
        return "inverted"
    if scan.max() == scan.min():
        return "empty"
    return "faint" if scan.max() <= faintest else "good"
""",
            "faint below the limit only": """
def diagnose(scan, faintest):
    if scan.min() == scan.max():
        return "empty"
    if scan.max() < faintest:
        return "faint"
    return "inverted" if scan.mean() > 127 else "good"
""",
            "a middle pixel instead of the paper": """
def diagnose(scan, faintest):
    if scan.min() == scan.max():
        return "empty"
    if scan.max() <= faintest:
        return "faint"
    return "inverted" if scan[14, 14] < 128 else "good"
""",
        },
    },
    "find_exchanged": {
        "right": {
            "the two labels that are farthest from their own mean": """
def find_exchanged(images, labels, means):
    distance = []
    for digit in range(10):
        mine = images[labels == digit].astype(np.float32).mean(axis=0)
        distance.append(np.sqrt(((mine - means[digit]) ** 2).sum()))
    return list(np.argsort(distance)[-2:])
""",
            "tries all pairs": """
def find_exchanged(images, labels, means):
    flat = [images[labels == k].reshape(-1, 784).mean(axis=0) for k in range(10)]
    good = means.reshape(10, 784)
    best, answer = np.inf, None
    for i in range(10):
        for j in range(i):
            order = list(range(10))
            order[i], order[j] = j, i
            total = sum(np.linalg.norm(flat[k] - good[order[k]]) for k in range(10))
            if total < best:
                best, answer = total, (i, j)
    return answer
""",
            "most of a label's images are nearest to another mean": """
def find_exchanged(images, labels, means):
    from sklearn.neighbors import NearestCentroid

    model = NearestCentroid().fit(means.reshape(10, 784), np.arange(10))
    guess = model.predict(images.reshape(len(images), 784).astype(float))
    seen = np.array([np.bincount(guess[labels == k], minlength=10).argmax() for k in range(10)])
    return np.nonzero(seen != np.arange(10))[0]
""",
        },
        "wrong": {
            "the two most similar digits": """
def find_exchanged(images, labels, means):
    apart = ((means[:, None] - means[None]) ** 2).sum(axis=(2, 3))
    apart[np.arange(10), np.arange(10)] = np.inf
    i, j = np.unravel_index(apart.argmin(), apart.shape)
    return int(i), int(j)
""",
            "compares the amount of ink only": """
def find_exchanged(images, labels, means):
    ink = np.array([images[labels == digit].mean() for digit in range(10)])
    off = np.abs(ink - means.mean(axis=(1, 2)))
    return tuple(np.argsort(off)[-2:])
""",
            "looks at one image of each label": """
def find_exchanged(images, labels, means):
    first = np.stack([images[labels == digit][0] for digit in range(10)]).astype(float)
    off = ((first - means) ** 2).sum(axis=(1, 2))
    return tuple(np.argsort(off)[-2:])
""",
            "the rarest two labels": """
def find_exchanged(images, labels, means):
    return tuple(np.argsort(np.bincount(labels, minlength=10))[:2])
""",
            "the two that fit best instead of worst": """
def find_exchanged(images, labels, means):
    typed = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])
    off = ((typed - means) ** 2).sum(axis=(1, 2))
    return tuple(np.argsort(off)[:2])
""",
        },
    },
    "centre": {
        "right": {
            "loops over pixels": """
def centre(scan):
    ink = sum(int(scan[r, c]) for r in range(28) for c in range(28))
    if ink == 0:
        return scan
    row = sum(r * int(scan[r, c]) for r in range(28) for c in range(28)) / ink
    column = sum(c * int(scan[r, c]) for r in range(28) for c in range(28)) / ink
    down, right = round(14 - row), round(14 - column)
    moved = [[0] * 28 for _ in range(28)]
    for r in range(28):
        for c in range(28):
            if 0 <= r + down < 28 and 0 <= c + right < 28:
                moved[r + down][c + right] = int(scan[r, c])
    return moved
""",
            "SciPy": """
def centre(scan):
    from scipy import ndimage

    if not scan.any():
        return scan
    centre_of_mass = ndimage.center_of_mass(scan)
    steps = [int(np.rint(14 - where)) for where in centre_of_mass]
    return ndimage.shift(scan.astype(np.float64), steps, order=0, mode="constant", cval=0)
""",
            "rolls inside a wide margin": """
def centre(scan):
    x = scan.astype(np.float32)
    if x.sum() == 0:
        return x
    r = (x.sum(axis=1) * np.arange(28)).sum() / x.sum()
    c = (x.sum(axis=0) * np.arange(28)).sum() / x.sum()
    big = np.zeros((84, 84), np.float32)
    big[28:56, 28:56] = x
    big = np.roll(big, (int(np.round(14 - r)), int(np.round(14 - c))), axis=(0, 1))
    return big[28:56, 28:56]
""",
            "tries every move and looks where the centre of mass of what is left comes to lie": """
def centre(scan):
    if not scan.any():
        return scan
    rr, cc = np.indices((28, 28))
    best = None
    pad = np.pad(scan, 28)
    for dr in range(-27, 28):
        for dc in range(-27, 28):
            moved = pad[28 - dr : 56 - dr, 28 - dc : 56 - dc]
            ink = moved.sum(dtype=float)
            if ink == 0:
                continue
            d = max(abs((rr * moved).sum() / ink - 14), abs((cc * moved).sum() / ink - 14))
            if best is None or d < best[0] - 1e-12:
                best = d, moved.copy()
    return best[1]
""",
        },
        "wrong": {
            "np.roll lets ink come back on the other side": """
def centre(scan):
    if not scan.any():
        return scan
    row = scan.sum(axis=1) @ np.arange(28) / scan.sum()
    column = scan.sum(axis=0) @ np.arange(28) / scan.sum()
    return np.roll(scan, (round(14 - row), round(14 - column)), axis=(0, 1))
""",
            "moves the wrong way": """
def centre(scan):
    if not scan.any():
        return scan
    row = scan.sum(axis=1) @ np.arange(28) / scan.sum()
    column = scan.sum(axis=0) @ np.arange(28) / scan.sum()
    down, right = round(row - 14), round(column - 14)
    return np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
""",
            "rows and columns exchanged": """
def centre(scan):
    if not scan.any():
        return scan
    row = scan.sum(axis=0) @ np.arange(28) / scan.sum()
    column = scan.sum(axis=1) @ np.arange(28) / scan.sum()
    down, right = round(14 - row), round(14 - column)
    return np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
""",
            "drops the fraction of a step": """
def centre(scan):
    if not scan.any():
        return scan
    row = scan.sum(axis=1) @ np.arange(28) / scan.sum()
    column = scan.sum(axis=0) @ np.arange(28) / scan.sum()
    down, right = int(14 - row), int(14 - column)
    return np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
""",
            "the middle of the box around the ink": """
def centre(scan):
    if not scan.any():
        return scan
    rows, columns = np.nonzero(scan)
    down = round(14 - (rows.min() + rows.max()) / 2)
    right = round(14 - (columns.min() + columns.max()) / 2)
    return np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
""",
            "every inked pixel counts alike": """
def centre(scan):
    if not scan.any():
        return scan
    rows, columns = np.nonzero(scan)
    down, right = round(14 - rows.mean()), round(14 - columns.mean())
    return np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
""",
            "divides by zero on an empty sheet": """
def centre(scan):
    row = scan.sum(axis=1) @ np.arange(28) / scan.sum()
    column = scan.sum(axis=0) @ np.arange(28) / scan.sum()
    down, right = round(14 - row), round(14 - column)
    return np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
""",
            "clears what came back at the sides, but not above and below": """
def centre(scan):
    if not scan.any():
        return scan
    row = scan.sum(axis=1) @ np.arange(28) / scan.sum()
    column = scan.sum(axis=0) @ np.arange(28) / scan.sum()
    down, right = round(14 - row), round(14 - column)
    moved = np.roll(scan, (down, right), axis=(0, 1))
    if right > 0:
        moved[:, :right] = 0
    elif right < 0:
        moved[:, right:] = 0
    return moved
""",
            "the moved digit is written into the scan that was handed in": """
def centre(scan):
    if scan.any():
        row = scan.sum(axis=1) @ np.arange(28) / scan.sum()
        column = scan.sum(axis=0) @ np.arange(28) / scan.sum()
        down, right = round(14 - row), round(14 - column)
        scan[:] = np.pad(scan, 28)[28 - down : 56 - down, 28 - right : 56 - right]
    return scan.copy()
""",
        },
    },
    "choose_validation": {
        "right": {
            "np.unique and scikit-learn": """
def choose_validation(images, labels, share, seed):
    from sklearn.model_selection import train_test_split

    flat = images.reshape(len(images), -1)
    different, first, group = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    _, chosen = train_test_split(
        np.arange(len(different)), test_size=share, random_state=seed, stratify=labels[first]
    )
    return np.flatnonzero(np.isin(group.ravel(), chosen))
""",
            "Python's random numbers, a list": """
def choose_validation(images, labels, share, seed):
    import math
    import random

    source = random.Random(seed)
    rows = []
    for digit in set(labels.tolist()):
        kinds = sorted({images[i].tobytes() for i in np.flatnonzero(labels == digit)})
        picked = set(source.sample(kinds, math.ceil(share * len(kinds))))
        rows.extend(i for i in range(len(images)) if labels[i] == digit and images[i].tobytes() in picked)
    return rows
""",
        },
        "wrong": {
            "stratified, but copies cross over": """
def choose_validation(images, labels, share, seed):
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(images))
    _, chosen = train_test_split(rows, test_size=share, random_state=seed, stratify=labels)
    return chosen
""",
            "one row of each chosen image, its copies stay outside": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng(seed)
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    chosen = []
    for digit in range(10):
        rows = first[labels[first] == digit]
        chosen.extend(rng.permutation(rows)[: round(share * len(rows))])
    return np.array(chosen)
""",
            "copies together, digits left to chance": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng(seed)
    _, group = np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)
    group = group.ravel()
    chosen = rng.permutation(group.max() + 1)[: round(share * (group.max() + 1))]
    return np.flatnonzero(np.isin(group, chosen))
""",
            "the first images of each digit, nothing at random": """
def choose_validation(images, labels, share, seed):
    chosen = []
    for digit in range(10):
        kinds = []
        for row in np.flatnonzero(labels == digit):
            if images[row].tobytes() not in kinds:
                kinds.append(images[row].tobytes())
        kept = set(kinds[: round(share * len(kinds))])
        chosen.extend(row for row in np.flatnonzero(labels == digit) if images[row].tobytes() in kept)
    return np.array(chosen)
""",
            "returns the training rows": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng(seed)
    keys = np.array([hash(image.tobytes()) for image in images])
    chosen = []
    for digit in range(10):
        kinds = np.unique(keys[labels == digit])
        chosen.extend(rng.permutation(kinds)[: round(share * len(kinds))])
    return np.flatnonzero(~np.isin(keys, chosen))
""",
            "forgets the seed": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng()
    keys = np.array([hash(image.tobytes()) for image in images])
    chosen = []
    for digit in range(10):
        kinds = np.unique(keys[labels == digit])
        chosen.extend(rng.permutation(kinds)[: round(share * len(kinds))])
    return np.flatnonzero(np.isin(keys, chosen))
""",
            "one image in five, whatever the share": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng(seed)
    keys = np.array([image.tobytes() for image in images])
    chosen = []
    for digit in range(10):
        kinds = np.unique(keys[labels == digit])
        chosen.extend(rng.permutation(kinds)[: round(len(kinds) / 5)])
    return np.flatnonzero(np.isin(keys, chosen))
""",
            "all rows of an image once for each of its copies": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng(seed)
    keys = np.array([image.tobytes() for image in images])
    chosen = []
    for digit in range(10):
        kinds = np.unique(keys[labels == digit])
        for kind in rng.permutation(kinds)[: round(share * len(kinds))]:
            for _ in np.flatnonzero(keys == kind):
                chosen.extend(np.flatnonzero(keys == kind))
    return np.array(chosen)
""",
            "a column of row numbers": """
def choose_validation(images, labels, share, seed):
    rng = np.random.default_rng(seed)
    keys = np.array([image.tobytes() for image in images])
    chosen = []
    for digit in range(10):
        kinds = np.unique(keys[labels == digit])
        chosen.extend(rng.permutation(kinds)[: round(share * len(kinds))])
    return np.argwhere(np.isin(keys, chosen))
""",
        },
    },
    "training_statistics": {
        "right": {
            "counts how often each grey level occurs": """
def training_statistics(batches):
    counts = np.zeros(256, np.int64)
    for kind, scans in batches:
        if kind != "test":
            counts += np.bincount(scans.ravel(), minlength=256)
    levels = np.arange(256) / 255
    mean = (counts * levels).sum() / counts.sum()
    variance = (counts * (levels - mean) ** 2).sum() / counts.sum()
    return float(mean), float(variance**0.5)
""",
            "scan by scan, in float32": """
def training_statistics(batches):
    means, squares, n = 0.0, 0.0, 0
    for part, scans in batches:
        if part != "train":
            continue
        for scan in scans:
            scan = scan.astype(np.float32) / np.float32(255)
            means += float(scan.mean())
            squares += float((scan * scan).mean())
            n += 1
    return np.array([means / n, (squares / n - (means / n) ** 2) ** 0.5])
""",
            "batches weighted by their size": """
def training_statistics(batches):
    sizes, means, variances = [], [], []
    for part, scans in batches:
        if part == "train":
            sizes.append(len(scans))
            means.append(scans.mean() / 255)
            variances.append(scans.var() / 255**2)
    mean = np.average(means, weights=sizes)
    within = np.average(variances, weights=sizes)
    between = np.average((np.array(means) - mean) ** 2, weights=sizes)
    return mean, np.sqrt(within + between)
""",
        },
        "wrong": {
            "the mean of the batches' means": """
def training_statistics(batches):
    means, deviations = [], []
    for part, scans in batches:
        if part == "train":
            means.append((scans / 255).mean())
            deviations.append((scans / 255).std())
    return np.mean(means), np.mean(deviations)
""",
            "batches weighted, but deviations averaged": """
def training_statistics(batches):
    n, mean, deviation = 0, 0.0, 0.0
    for part, scans in batches:
        if part == "train":
            n += len(scans)
            mean += len(scans) * (scans / 255).mean()
            deviation += len(scans) * (scans / 255).std()
    return mean / n, deviation / n
""",
            "squares in uint8": """
def training_statistics(batches):
    n, total, squares = 0, 0.0, 0.0
    for part, scans in batches:
        if part == "train":
            n += scans.size
            total += scans.sum() / 255
            squares += (scans**2).sum() / 255**2
    mean = total / n
    return mean, np.sqrt(max(squares / n - mean**2, 0))
""",
            "the test part has a say": """
def training_statistics(batches):
    n, total, squares = 0, 0.0, 0.0
    for _, scans in batches:
        pixels = scans / 255
        n, total, squares = n + pixels.size, total + pixels.sum(), squares + (pixels**2).sum()
    return total / n, np.sqrt(squares / n - (total / n) ** 2)
""",
            "pixels from 0 to 255": """
def training_statistics(batches):
    n, total, squares = 0, 0.0, 0.0
    for part, scans in batches:
        if part == "train":
            pixels = scans.astype(float)
            n, total, squares = n + pixels.size, total + pixels.sum(), squares + (pixels**2).sum()
    return total / n, np.sqrt(squares / n - (total / n) ** 2)
""",
            "collects all scans first": """
def training_statistics(batches):
    pixels = np.concatenate([scans for part, scans in batches if part == "train"]) / 255
    return pixels.mean(), pixels.std()
""",
            "goes through the batches twice": """
def training_statistics(batches):
    n = sum(scans.size for part, scans in batches if part == "train")
    mean = sum((scans / 255).sum() for part, scans in batches if part == "train") / n
    variance = sum(((scans / 255 - mean) ** 2).sum() for part, scans in batches if part == "train") / n
    return mean, variance**0.5
""",
            "the deviation from sums, but the mean of the batches' means": """
def training_statistics(batches):
    n, total, squares, means = 0, 0.0, 0.0, []
    for part, scans in batches:
        if part == "train":
            pixels = scans / 255
            n, total, squares = n + pixels.size, total + pixels.sum(), squares + (pixels**2).sum()
            means.append(pixels.mean())
    return np.mean(means), np.sqrt(squares / n - (total / n) ** 2)
""",
            "the mean rounded as it is printed": """
def training_statistics(batches):
    n, total, squares = 0, 0.0, 0.0
    for part, scans in batches:
        if part == "train":
            pixels = scans / 255
            n, total, squares = n + pixels.size, total + pixels.sum(), squares + (pixels**2).sum()
    return round(total / n, 4), np.sqrt(squares / n - (total / n) ** 2)
""",
            "the deviation rounded as it is printed": """
def training_statistics(batches):
    n, total, squares = 0, 0.0, 0.0
    for part, scans in batches:
        if part == "train":
            pixels = scans / 255
            n, total, squares = n + pixels.size, total + pixels.sum(), squares + (pixels**2).sum()
    return total / n, round(np.sqrt(squares / n - (total / n) ** 2), 4)
""",
            "squares added up in 32 bits": """
def training_statistics(batches):
    n, total, squares = 0, 0.0, np.zeros((), np.int32)
    for part, scans in batches:
        if part == "train":
            wide = scans.astype(np.int32)
            n, total = n + wide.size, total + wide.sum() / 255
            squares += (wide**2).sum(dtype=np.int32)
    mean = total / n
    return mean, np.sqrt(max(int(squares) / 255**2 / n - mean**2, 0))
""",
        },
    },
}

#: Parts of hidden tests that refuse nothing that another would not refuse too, each with the reason why it stays.
IMPLIED = {
    "choose_validation": {
        "rows.ndim == 1": "rows of a column cannot be counted below, with an error that says less",
        "np.issubdtype(rows.dtype, np.integer)": "floats cannot be row numbers below, with an error that says less",
        "len(rows) > 0": "without any row the share of each digit is wrong, which says less",
        "rows.min() >= 0": "a negative row leaves its copy, and itself under its other number, outside",
        "rows.max() < len(images)": "a row that is too large stops the lines below, with an error that says less",
    },
    "training_statistics": {
        "not np.isclose(mean, 255 * pixels.mean(), rtol=0.001)": "the mean is wrong for the next but one too, which cannot say why",
        "'test' not in dict(parts) or not np.isclose(mean, everything.mean(), rtol=1e-06)": "as the one before",
    },
}
