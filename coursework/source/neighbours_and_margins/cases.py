"""Answers to the tasks on neighbours and margins that grade their graders: right ones written otherwise, wrong ones."""

CASES = {
    "city_block": {
        "right": {
            "a loop over pairs, floats": """
def city_block(a, b):
    result = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            result[i, j] = np.sum(np.abs(a[i].astype(np.float32) - b[j].astype(np.float32)))
    return result
""",
            "scipy": """
def city_block(a, b):
    from scipy.spatial.distance import cdist

    return cdist(np.asarray(a).reshape(len(a), 784), np.asarray(b).reshape(len(b), 784), "cityblock")
""",
            "the larger minus the smaller, in bytes; nested lists": """
def city_block(a, b):
    return [[int((np.maximum(x, y) - np.minimum(x, y)).sum(dtype=np.int64)) for y in b] for x in a]
""",
        },
        "wrong": {
            "subtracts in unsigned bytes": """
def city_block(a, b):
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return np.array([np.abs(b - row).sum(axis=1) for row in a])
""",
            "int16 differences, added up in int16": """
def city_block(a, b):
    a, b = a.reshape(len(a), -1).astype(np.int16), b.reshape(len(b), -1).astype(np.int16)
    return np.abs(a[:, None] - b).sum(axis=2, dtype=np.int16)
""",
            "Euclidean": """
def city_block(a, b):
    a, b = a.reshape(len(a), -1).astype(float), b.reshape(len(b), -1).astype(float)
    return np.sqrt(((a[:, None] - b) ** 2).sum(axis=2))
""",
            "forgot the absolute value": """
def city_block(a, b):
    a, b = a.reshape(len(a), -1).astype(float), b.reshape(len(b), -1).astype(float)
    return np.array([(row - b).sum(axis=1) for row in a])
""",
            "transposed": """
def city_block(a, b):
    a, b = a.reshape(len(a), -1).astype(float), b.reshape(len(b), -1).astype(float)
    return np.array([np.abs(row - a).sum(axis=1) for row in b])
""",
            "the mean in place of the sum": """
def city_block(a, b):
    a, b = a.reshape(len(a), -1).astype(float), b.reshape(len(b), -1).astype(float)
    return np.array([np.abs(row - b).mean(axis=1) for row in a])
""",
            "the difference of the amounts of ink": """
def city_block(a, b):
    ink = a.reshape(len(a), -1).sum(axis=1, dtype=int), b.reshape(len(b), -1).sum(axis=1, dtype=int)
    return np.abs(ink[0][:, None] - ink[1])
""",
            "the mean difference, rounded, times the pixels": """
def city_block(a, b):
    means = [[np.abs(one.astype(int) - two).mean() for two in b.astype(int)] for one in a]
    return np.round(means, 2) * 784
""",
            "gives the first images another shape for good": """
def city_block(a, b):
    a.shape = len(a), 784
    return np.array([[np.abs(one.astype(int) - two).sum() for two in b.reshape(len(b), 784).astype(int)] for one in a])
""",
            "gives the second images another shape for good": """
def city_block(a, b):
    b.shape = len(b), 784
    return np.array([[np.abs(one.astype(int) - two).sum() for two in b.astype(int)] for one in a.reshape(len(a), 784)])
""",
        },
    },
    "weighted_vote": {
        "right": {
            "dictionaries and sorted": """
def weighted_vote(distances, labels, k):
    answers = []
    for row in distances:
        near = sorted(range(len(row)), key=lambda i: row[i])[:k]
        zeros = [i for i in near if row[i] == 0]
        votes = {}
        for i in zeros or near:
            votes[int(labels[i])] = votes.get(int(labels[i]), 0.0) + (1.0 if zeros else 1.0 / float(row[i]))
        best = max(votes.values())
        for i in near:
            if votes.get(int(labels[i]), -1) > best - 1e-12:
                answers.append(int(labels[i]))
                break
    return answers
""",
            "sums compared as they are, to the last digit": """
def weighted_vote(distances, labels, k):
    answers = np.zeros(len(distances), int)
    for i, row in enumerate(np.asarray(distances, float)):
        near = row.argsort(kind="stable")[:k]
        if row[near[0]] == 0:
            near = near[row[near] == 0]
            weights = np.ones(len(near))
        else:
            weights = 1 / row[near]
        sums = np.bincount(labels[near], weights)
        answers[i] = next(labels[j] for j in near if sums[labels[j]] == sums.max())
    return answers
""",
            "arrays for all queries at once, a bonus for the nearer": """
def weighted_vote(distances, labels, k):
    d = np.asarray(distances, dtype=np.float64)
    order = np.argsort(d, axis=1, kind="mergesort")[:, :k]
    d = np.take_along_axis(d, order, 1)
    near = np.asarray(labels)[order]
    zero = d == 0
    weight = np.where(zero.any(axis=1)[:, None], zero, 1 / np.where(zero, 1, d))
    sums = (weight[:, :, None] * (near[:, :, None] == np.arange(10))).sum(axis=1)
    first = np.full(sums.shape, k, float)
    for place in range(k - 1, -1, -1):
        first[np.arange(len(d)), near[:, place]] = place
    best = sums >= sums.max(axis=1, keepdims=True) - 1e-12
    return np.where(best, first, np.inf).argmin(axis=1).astype(np.int32)
""",
        },
        "wrong": {
            "one vote each, as in the chapter": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = np.ones(len(d))
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "weights that grow with the distance": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = d
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "a tie goes to the smaller digit": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = (d == 0).astype(float) if d[0] == 0 else 1 / d
        sums = np.bincount(digits, weights, minlength=10)
        predictions.append(sums.argmax())
    return np.array(predictions)
""",
            "divides by zero and hopes": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = 1 / d
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "a small number against division by zero": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = 1 / (d + 0.5)
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "1 / d squared": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = (d == 0).astype(float) if d[0] == 0 else 1 / d**2
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "all stored images vote": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = (d == 0).astype(float) if d[0] == 0 else 1 / d
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "at distance 0 the first image decides alone": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[:k]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = np.eye(len(d))[0] if d[0] == 0 else 1 / d
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
            "k + 1 neighbours": """
def weighted_vote(distances, labels, k):
    predictions = []
    for row in np.asarray(distances, float):
        nearest = np.argsort(row, kind="stable")[: k + 1]
        d, digits = row[nearest], np.asarray(labels)[nearest]
        weights = (d == 0).astype(float) if d[0] == 0 else 1 / d
        sums = np.bincount(digits, weights, minlength=10)
        tied = np.isclose(sums[digits], sums.max())
        predictions.append(digits[tied][0])
    return np.array(predictions)
""",
        },
    },
    "leave_one_out": {
        "right": {
            "a loop over images, each without its own column": """
def leave_one_out(distances, labels, ks):
    wrong = np.zeros(len(ks), int)
    for i, row in enumerate(np.asarray(distances)):
        others, names = np.delete(row, i), np.delete(labels, i)
        order = names[np.argsort(others, kind="stable")]
        for j, k in enumerate(ks):
            wrong[j] += np.bincount(order[:k], minlength=10).argmax() != labels[i]
    return list(wrong / len(labels))
""",
            "a masked array, float32": """
def leave_one_out(distances, labels, ks):
    d = np.array(distances, dtype=np.float64) + np.diag(np.full(len(labels), 1e12))
    near = np.asarray(labels)[np.argsort(d, axis=1, kind="stable")[:, : max(ks)]]
    errors = []
    for k in ks:
        votes = np.stack([(near[:, :k] == digit).sum(axis=1) for digit in range(10)], axis=1)
        errors.append((votes.argmax(axis=1) != labels).mean())
    return np.array(errors, np.float32)
""",
        },
        "wrong": {
            "every image votes for itself": """
def leave_one_out(distances, labels, ks):
    others = np.array(distances, float)
    pass
    order = np.argsort(others, axis=1, kind="stable")
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.mean(votes[:, k - 1].argmax(axis=1) != labels) for k in ks])
""",
            "drops the first column, which may be a twin": """
def leave_one_out(distances, labels, ks):
    others = np.array(distances, float)
    pass
    order = np.argsort(others, axis=1, kind="stable")[:, 1:]
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.mean(votes[:, k - 1].argmax(axis=1) != labels) for k in ks])
""",
            "leaves out everything at distance 0": """
def leave_one_out(distances, labels, ks):
    others = np.array(distances, float)
    others[others == 0] = np.inf
    order = np.argsort(others, axis=1, kind="stable")
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.mean(votes[:, k - 1].argmax(axis=1) != labels) for k in ks])
""",
            "the share of right answers": """
def leave_one_out(distances, labels, ks):
    others = np.array(distances, float)
    np.fill_diagonal(others, np.inf)
    order = np.argsort(others, axis=1, kind="stable")
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.mean(votes[:, k - 1].argmax(axis=1) == labels) for k in ks])
""",
            "changes the matrix given": """
def leave_one_out(distances, labels, ks):
    for i in range(len(labels)):
        distances[i, i] = 10**9
    order = np.argsort(distances, axis=1, kind="stable")
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.mean(votes[:, k - 1].argmax(axis=1) != labels) for k in ks])
""",
            "the number of errors, not their share": """
def leave_one_out(distances, labels, ks):
    others = np.array(distances, float)
    np.fill_diagonal(others, np.inf)
    order = np.argsort(others, axis=1, kind="stable")
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.sum(votes[:, k - 1].argmax(axis=1) != labels) for k in ks])
""",
            "the k-th neighbour decides": """
def leave_one_out(distances, labels, ks):
    others = np.array(distances, float)
    np.fill_diagonal(others, np.inf)
    order = np.argsort(others, axis=1, kind="stable")
    votes = np.cumsum(np.eye(10)[np.asarray(labels)[order]], axis=1)
    return np.array([np.mean(np.asarray(labels)[order[:, k - 1]] != labels) for k in ks])
""",
        },
    },
    "hinge": {
        "right": {
            "a loop over images": """
def hinge(w, b, x, y, C):
    loss, dw, db = 0.5 * sum(v * v for v in w), np.array(w, float), 0.0
    for image, side in zip(x, y):
        slack = 1 - side * (np.dot(w, image) + b)
        if slack > 0:
            loss += C * slack
            dw = dw - C * side * image
            db -= C * side
    return float(loss), dw, float(db)
""",
            "np.maximum and a mask of numbers": """
def hinge(w, b, x, y, C):
    m = 1 - y * (np.matmul(x, w) + b)
    take_part = np.where(m > 0, 1.0, 0.0) * y * C
    return np.linalg.norm(w) ** 2 / 2 + C * np.maximum(m, 0).sum(), w - x.T @ take_part, -take_part.sum()
""",
        },
        "wrong": {
            "only images on the wrong side take part": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 1
    return 0.5 * w @ w + C * slack[inside].sum(), w - C * (y[inside] @ x[inside]), -C * y[inside].sum()
""",
            "only the gradient forgets those within the margin": """
def hinge(w, b, x, y, C):
    score = y * (x @ w + b)
    wrong = score < 0
    loss = 0.5 * w @ w + C * np.maximum(0, 1 - score).sum()
    return loss, w - C * (y[wrong] @ x[wrong]), -C * y[wrong].sum()
""",
            "forgot max(0, ...)": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > -np.inf
    return 0.5 * w @ w + C * slack[inside].sum(), w - C * (y[inside] @ x[inside]), -C * y[inside].sum()
""",
            "plus in place of minus": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    return 0.5 * w @ w + C * slack[inside].sum(), w + C * (y[inside] @ x[inside]), C * y[inside].sum()
""",
            "forgot the penalty on w": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    return C * slack[inside].sum(), -C * (y[inside] @ x[inside]), -C * y[inside].sum()
""",
            "forgot C in the gradient": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    return 0.5 * w @ w + C * slack[inside].sum(), w - y[inside] @ x[inside], -y[inside].sum()
""",
            "the mean in place of the sum": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    return 0.5 * w @ w + C * np.maximum(slack, 0).mean(), w - C * (y[inside] @ x[inside]) / len(y), -C * y[inside].sum() / len(y)
""",
            "penalises b as well": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    return 0.5 * (w @ w + b * b) + C * slack[inside].sum(), w - C * (y[inside] @ x[inside]), b - C * y[inside].sum()
""",
            "the gradient without the sides": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    return 0.5 * w @ w + C * slack[inside].sum(), w - C * x[inside].sum(axis=0), -C * inside.sum()
""",
            "half the length of w, without its square": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * np.linalg.norm(w) + C * slack[inside].sum()
    dw = w - C * (y[inside] @ x[inside])
    db = -C * y[inside].sum()
    return loss, dw, db
""",
            "the loss rounded to four decimals": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = w - C * (y[inside] @ x[inside])
    db = -C * y[inside].sum()
    return round(loss, 4), dw, db
""",
            "the sign of w, as for a penalty on |w|": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = np.sign(w) - C * (y[inside] @ x[inside])
    db = -C * y[inside].sum()
    return loss, dw, db
""",
            "w rounded to three decimals in its gradient": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = np.round(w, 3) - C * (y[inside] @ x[inside])
    db = -C * y[inside].sum()
    return loss, dw, db
""",
            "plus in place of minus along b": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = w - C * (y[inside] @ x[inside])
    db = C * y[inside].sum()
    return loss, dw, db
""",
            "an image at the kink takes part in dw": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = w - C * (y[slack >= 0] @ x[slack >= 0])
    db = -C * y[inside].sum()
    return loss, dw, db
""",
            "an image at the kink takes part in db": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = w - C * (y[inside] @ x[inside])
    db = -C * y[slack >= 0].sum()
    return loss, dw, db
""",
            "db to two significant digits": """
def hinge(w, b, x, y, C):
    slack = 1 - y * (x @ w + b)
    inside = slack > 0
    loss = 0.5 * w @ w + C * slack[inside].sum()
    dw = w - C * (y[inside] @ x[inside])
    db = -C * y[inside].sum()
    return loss, dw, float(f"{db:.2g}")
""",
        },
    },
    "rebuild": {
        "right": {
            "loops and lists": """
def rebuild(multipliers, x, y, C):
    w = np.zeros(x.shape[1])
    for alpha, image, side in zip(multipliers, x, y):
        w += alpha * side * image
    offsets = []
    for alpha, image, side in zip(multipliers, x, y):
        if C * 1e-6 <= alpha <= C - C * 1e-6:
            offsets.append(side - sum(w * image))
    return list(w), sum(offsets) / len(offsets), 2 / sum(w**2) ** 0.5
""",
            "equations with y, and einsum": """
def rebuild(multipliers, x, y, C):
    alpha = np.where(multipliers < 1e-6 * C, 0, np.where(multipliers > (1 - 1e-6) * C, C, multipliers))
    w = np.einsum("i,i,ij->j", alpha, y, x)
    free = np.logical_and(alpha > 0, alpha < C)
    b = ((1 - y[free] * (x[free] @ w)) / y[free]).mean()
    return w, b, 2 / np.sqrt(w @ w)
""",
        },
        "wrong": {
            "forgot the sides": """
def rebuild(multipliers, x, y, C):
    w = multipliers @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    return w, np.mean(y[free] - x[free] @ w), 2 / np.linalg.norm(w)
""",
            "all support vectors, bound ones too": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = multipliers > 1e-6 * C
    return w, np.mean(y[free] - x[free] @ w), 2 / np.linalg.norm(w)
""",
            "compares with 0 and C exactly": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 0) & (multipliers < C)
    return w, np.mean(y[free] - x[free] @ w), 2 / np.linalg.norm(w)
""",
            "all images": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = np.ones(len(y), bool)
    return w, np.mean(y[free] - x[free] @ w), 2 / np.linalg.norm(w)
""",
            "the sign of b": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    return w, np.mean(x[free] @ w - y[free]), 2 / np.linalg.norm(w)
""",
            "1 in place of y": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    return w, np.mean(1 - x[free] @ w), 2 / np.linalg.norm(w)
""",
            "half the margin": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    return w, np.mean(y[free] - x[free] @ w), 1 / np.linalg.norm(w)
""",
            "the squared length": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    return w, np.mean(y[free] - x[free] @ w), 2 / (w @ w)
""",
            "a threshold that forgets C": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-2) & (multipliers < C - 1e-2)
    return w, np.mean(y[free] - x[free] @ w), 2 / np.linalg.norm(w)
""",
            "w rounded to five decimals": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    b = np.mean(y[free] - x[free] @ w)
    return np.round(w, 5), float(b), float(2 / np.linalg.norm(w))
""",
            "b rounded to four decimals": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    b = np.mean(y[free] - x[free] @ w)
    return w, round(float(b), 4), float(2 / np.linalg.norm(w))
""",
            "the width rounded to four decimals": """
def rebuild(multipliers, x, y, C):
    w = (multipliers * y) @ x
    free = (multipliers > 1e-6 * C) & (multipliers < (1 - 1e-6) * C)
    b = np.mean(y[free] - x[free] @ w)
    return w, float(b), round(float(2 / np.linalg.norm(w)), 4)
""",
        },
    },
    "witness": {
        "right": {
            "np.linalg.eig, then the smallest": """
def witness(similarity):
    values, vectors = np.linalg.eig(np.array(similarity, float))
    values, vectors = values.real, vectors.real
    smallest = values.argmin()
    if values[smallest] < -1e-9 * max(abs(values)):
        return list(vectors[:, smallest])
    return None
""",
            "scipy, and a vector of another length": """
def witness(similarity):
    from scipy.linalg import eigh

    values, vectors = eigh(similarity)
    largest = max(abs(values[0]), abs(values[-1]))
    if values[0] / largest < -1e-9:
        return -7 * vectors.T[0]
""",
        },
        "wrong": {
            "a row of the eigenvectors": """
def witness(similarity):
    values, vectors = np.linalg.eigh(similarity)
    return None if values[0] >= -1e-9 * np.abs(values).max() else vectors[0]
""",
            "every eigenvalue below 0 counts, rounding errors too": """
def witness(similarity):
    values, vectors = np.linalg.eigh(similarity)
    return vectors[:, 0] if values[0] < 0 else None
""",
            "demands eigenvalues above 0": """
def witness(similarity):
    values, vectors = np.linalg.eigh(similarity)
    return vectors[:, 0] if values[0] <= 1e-9 * np.abs(values).max() else None
""",
            "looks for negative entries": """
def witness(similarity):
    if np.min(similarity) >= 0:
        return None
    return np.linalg.eigh(similarity)[1][:, 0]
""",
            "the sign of the determinant": """
def witness(similarity):
    if np.linalg.det(similarity) > -1e-9:
        return None
    return np.linalg.eigh(similarity)[1][:, 0]
""",
            "a fixed threshold, whatever the scale": """
def witness(similarity):
    values, vectors = np.linalg.eigh(similarity)
    return vectors[:, 0] if values[0] < -1e-3 else None
""",
            "the eigenvector of the largest eigenvalue": """
def witness(similarity):
    values, vectors = np.linalg.eigh(similarity)
    return vectors[:, -1] if values[0] < -1e-9 * np.abs(values).max() else None
""",
            "a tiny limit that does not grow with the matrix": """
def witness(similarity):
    values, vectors = np.linalg.eigh(similarity)
    return None if values[0] >= -1e-10 else vectors[:, 0]
""",
        },
    },
}
